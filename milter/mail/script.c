/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counting letters by script. GLib carries the Script property.
 */
#include "mail/script.h"

#include <string.h>

#include "mail/charset.h"

static const struct {
    GUnicodeScript script;
    const char *name;
} scripts[] = {
    {G_UNICODE_SCRIPT_ARABIC, "Arabic"},
    {G_UNICODE_SCRIPT_ARMENIAN, "Armenian"},
    {G_UNICODE_SCRIPT_BENGALI, "Bengali"},
    {G_UNICODE_SCRIPT_BOPOMOFO, "Bopomofo"},
    {G_UNICODE_SCRIPT_CHEROKEE, "Cherokee"},
    {G_UNICODE_SCRIPT_COPTIC, "Coptic"},
    {G_UNICODE_SCRIPT_CYRILLIC, "Cyrillic"},
    {G_UNICODE_SCRIPT_DESERET, "Deseret"},
    {G_UNICODE_SCRIPT_DEVANAGARI, "Devanagari"},
    {G_UNICODE_SCRIPT_ETHIOPIC, "Ethiopic"},
    {G_UNICODE_SCRIPT_GEORGIAN, "Georgian"},
    {G_UNICODE_SCRIPT_GOTHIC, "Gothic"},
    {G_UNICODE_SCRIPT_GREEK, "Greek"},
    {G_UNICODE_SCRIPT_GUJARATI, "Gujarati"},
    {G_UNICODE_SCRIPT_GURMUKHI, "Gurmukhi"},
    {G_UNICODE_SCRIPT_HAN, "Han"},
    {G_UNICODE_SCRIPT_HANGUL, "Hangul"},
    {G_UNICODE_SCRIPT_HEBREW, "Hebrew"},
    {G_UNICODE_SCRIPT_HIRAGANA, "Hiragana"},
    {G_UNICODE_SCRIPT_KANNADA, "Kannada"},
    {G_UNICODE_SCRIPT_KATAKANA, "Katakana"},
    {G_UNICODE_SCRIPT_KHMER, "Khmer"},
    {G_UNICODE_SCRIPT_LAO, "Lao"},
    {G_UNICODE_SCRIPT_LATIN, "Latin"},
    {G_UNICODE_SCRIPT_MALAYALAM, "Malayalam"},
    {G_UNICODE_SCRIPT_MONGOLIAN, "Mongolian"},
    {G_UNICODE_SCRIPT_MYANMAR, "Myanmar"},
    {G_UNICODE_SCRIPT_OGHAM, "Ogham"},
    {G_UNICODE_SCRIPT_OLD_ITALIC, "Old_Italic"},
    {G_UNICODE_SCRIPT_ORIYA, "Oriya"},
    {G_UNICODE_SCRIPT_RUNIC, "Runic"},
    {G_UNICODE_SCRIPT_SINHALA, "Sinhala"},
    {G_UNICODE_SCRIPT_SYRIAC, "Syriac"},
    {G_UNICODE_SCRIPT_TAMIL, "Tamil"},
    {G_UNICODE_SCRIPT_TELUGU, "Telugu"},
    {G_UNICODE_SCRIPT_THAANA, "Thaana"},
    {G_UNICODE_SCRIPT_THAI, "Thai"},
    {G_UNICODE_SCRIPT_TIBETAN, "Tibetan"},
    {G_UNICODE_SCRIPT_CANADIAN_ABORIGINAL, "Canadian_Aboriginal"},
    {G_UNICODE_SCRIPT_YI, "Yi"},
    {G_UNICODE_SCRIPT_TAGALOG, "Tagalog"},
    {G_UNICODE_SCRIPT_HANUNOO, "Hanunoo"},
    {G_UNICODE_SCRIPT_BUHID, "Buhid"},
    {G_UNICODE_SCRIPT_TAGBANWA, "Tagbanwa"},
    {G_UNICODE_SCRIPT_BRAILLE, "Braille"},
    {G_UNICODE_SCRIPT_CYPRIOT, "Cypriot"},
    {G_UNICODE_SCRIPT_LIMBU, "Limbu"},
    {G_UNICODE_SCRIPT_OSMANYA, "Osmanya"},
    {G_UNICODE_SCRIPT_SHAVIAN, "Shavian"},
    {G_UNICODE_SCRIPT_LINEAR_B, "Linear_B"},
    {G_UNICODE_SCRIPT_TAI_LE, "Tai_Le"},
    {G_UNICODE_SCRIPT_UGARITIC, "Ugaritic"},
    {G_UNICODE_SCRIPT_NEW_TAI_LUE, "New_Tai_Lue"},
    {G_UNICODE_SCRIPT_BUGINESE, "Buginese"},
    {G_UNICODE_SCRIPT_GLAGOLITIC, "Glagolitic"},
    {G_UNICODE_SCRIPT_TIFINAGH, "Tifinagh"},
    {G_UNICODE_SCRIPT_SYLOTI_NAGRI, "Syloti_Nagri"},
    {G_UNICODE_SCRIPT_OLD_PERSIAN, "Old_Persian"},
    {G_UNICODE_SCRIPT_KHAROSHTHI, "Kharoshthi"},
    {G_UNICODE_SCRIPT_BALINESE, "Balinese"},
    {G_UNICODE_SCRIPT_CUNEIFORM, "Cuneiform"},
    {G_UNICODE_SCRIPT_PHOENICIAN, "Phoenician"},
    {G_UNICODE_SCRIPT_PHAGS_PA, "Phags_Pa"},
    {G_UNICODE_SCRIPT_NKO, "Nko"},
    {G_UNICODE_SCRIPT_KAYAH_LI, "Kayah_Li"},
    {G_UNICODE_SCRIPT_LEPCHA, "Lepcha"},
    {G_UNICODE_SCRIPT_REJANG, "Rejang"},
    {G_UNICODE_SCRIPT_SUNDANESE, "Sundanese"},
    {G_UNICODE_SCRIPT_SAURASHTRA, "Saurashtra"},
    {G_UNICODE_SCRIPT_CHAM, "Cham"},
    {G_UNICODE_SCRIPT_OL_CHIKI, "Ol_Chiki"},
    {G_UNICODE_SCRIPT_VAI, "Vai"},
    {G_UNICODE_SCRIPT_CARIAN, "Carian"},
    {G_UNICODE_SCRIPT_LYCIAN, "Lycian"},
    {G_UNICODE_SCRIPT_LYDIAN, "Lydian"},
    {G_UNICODE_SCRIPT_AVESTAN, "Avestan"},
    {G_UNICODE_SCRIPT_BAMUM, "Bamum"},
    {G_UNICODE_SCRIPT_EGYPTIAN_HIEROGLYPHS, "Egyptian_Hieroglyphs"},
    {G_UNICODE_SCRIPT_IMPERIAL_ARAMAIC, "Imperial_Aramaic"},
    {G_UNICODE_SCRIPT_INSCRIPTIONAL_PAHLAVI, "Inscriptional_Pahlavi"},
    {G_UNICODE_SCRIPT_INSCRIPTIONAL_PARTHIAN, "Inscriptional_Parthian"},
    {G_UNICODE_SCRIPT_JAVANESE, "Javanese"},
    {G_UNICODE_SCRIPT_KAITHI, "Kaithi"},
    {G_UNICODE_SCRIPT_LISU, "Lisu"},
    {G_UNICODE_SCRIPT_MEETEI_MAYEK, "Meetei_Mayek"},
    {G_UNICODE_SCRIPT_OLD_SOUTH_ARABIAN, "Old_South_Arabian"},
    {G_UNICODE_SCRIPT_OLD_TURKIC, "Old_Turkic"},
    {G_UNICODE_SCRIPT_SAMARITAN, "Samaritan"},
    {G_UNICODE_SCRIPT_TAI_THAM, "Tai_Tham"},
    {G_UNICODE_SCRIPT_TAI_VIET, "Tai_Viet"},
    {G_UNICODE_SCRIPT_BATAK, "Batak"},
    {G_UNICODE_SCRIPT_BRAHMI, "Brahmi"},
    {G_UNICODE_SCRIPT_MANDAIC, "Mandaic"},
    {G_UNICODE_SCRIPT_CHAKMA, "Chakma"},
    {G_UNICODE_SCRIPT_MEROITIC_CURSIVE, "Meroitic_Cursive"},
    {G_UNICODE_SCRIPT_MEROITIC_HIEROGLYPHS, "Meroitic_Hieroglyphs"},
    {G_UNICODE_SCRIPT_MIAO, "Miao"},
    {G_UNICODE_SCRIPT_SHARADA, "Sharada"},
    {G_UNICODE_SCRIPT_SORA_SOMPENG, "Sora_Sompeng"},
    {G_UNICODE_SCRIPT_TAKRI, "Takri"},
    {G_UNICODE_SCRIPT_BASSA_VAH, "Bassa_Vah"},
    {G_UNICODE_SCRIPT_CAUCASIAN_ALBANIAN, "Caucasian_Albanian"},
    {G_UNICODE_SCRIPT_DUPLOYAN, "Duployan"},
    {G_UNICODE_SCRIPT_ELBASAN, "Elbasan"},
    {G_UNICODE_SCRIPT_GRANTHA, "Grantha"},
    {G_UNICODE_SCRIPT_KHOJKI, "Khojki"},
    {G_UNICODE_SCRIPT_KHUDAWADI, "Khudawadi"},
    {G_UNICODE_SCRIPT_LINEAR_A, "Linear_A"},
    {G_UNICODE_SCRIPT_MAHAJANI, "Mahajani"},
    {G_UNICODE_SCRIPT_MANICHAEAN, "Manichaean"},
    {G_UNICODE_SCRIPT_MENDE_KIKAKUI, "Mende_Kikakui"},
    {G_UNICODE_SCRIPT_MODI, "Modi"},
    {G_UNICODE_SCRIPT_MRO, "Mro"},
    {G_UNICODE_SCRIPT_NABATAEAN, "Nabataean"},
    {G_UNICODE_SCRIPT_OLD_NORTH_ARABIAN, "Old_North_Arabian"},
    {G_UNICODE_SCRIPT_OLD_PERMIC, "Old_Permic"},
    {G_UNICODE_SCRIPT_PAHAWH_HMONG, "Pahawh_Hmong"},
    {G_UNICODE_SCRIPT_PALMYRENE, "Palmyrene"},
    {G_UNICODE_SCRIPT_PAU_CIN_HAU, "Pau_Cin_Hau"},
    {G_UNICODE_SCRIPT_PSALTER_PAHLAVI, "Psalter_Pahlavi"},
    {G_UNICODE_SCRIPT_SIDDHAM, "Siddham"},
    {G_UNICODE_SCRIPT_TIRHUTA, "Tirhuta"},
    {G_UNICODE_SCRIPT_WARANG_CITI, "Warang_Citi"},
    {G_UNICODE_SCRIPT_AHOM, "Ahom"},
    {G_UNICODE_SCRIPT_ANATOLIAN_HIEROGLYPHS, "Anatolian_Hieroglyphs"},
    {G_UNICODE_SCRIPT_HATRAN, "Hatran"},
    {G_UNICODE_SCRIPT_MULTANI, "Multani"},
    {G_UNICODE_SCRIPT_OLD_HUNGARIAN, "Old_Hungarian"},
    {G_UNICODE_SCRIPT_SIGNWRITING, "Signwriting"},
    {G_UNICODE_SCRIPT_ADLAM, "Adlam"},
    {G_UNICODE_SCRIPT_BHAIKSUKI, "Bhaiksuki"},
    {G_UNICODE_SCRIPT_MARCHEN, "Marchen"},
    {G_UNICODE_SCRIPT_NEWA, "Newa"},
    {G_UNICODE_SCRIPT_OSAGE, "Osage"},
    {G_UNICODE_SCRIPT_TANGUT, "Tangut"},
    {G_UNICODE_SCRIPT_MASARAM_GONDI, "Masaram_Gondi"},
    {G_UNICODE_SCRIPT_NUSHU, "Nushu"},
    {G_UNICODE_SCRIPT_SOYOMBO, "Soyombo"},
    {G_UNICODE_SCRIPT_ZANABAZAR_SQUARE, "Zanabazar_Square"},
    {G_UNICODE_SCRIPT_DOGRA, "Dogra"},
    {G_UNICODE_SCRIPT_GUNJALA_GONDI, "Gunjala_Gondi"},
    {G_UNICODE_SCRIPT_HANIFI_ROHINGYA, "Hanifi_Rohingya"},
    {G_UNICODE_SCRIPT_MAKASAR, "Makasar"},
    {G_UNICODE_SCRIPT_MEDEFAIDRIN, "Medefaidrin"},
    {G_UNICODE_SCRIPT_OLD_SOGDIAN, "Old_Sogdian"},
    {G_UNICODE_SCRIPT_SOGDIAN, "Sogdian"},
    {G_UNICODE_SCRIPT_ELYMAIC, "Elymaic"},
    {G_UNICODE_SCRIPT_NANDINAGARI, "Nandinagari"},
    {G_UNICODE_SCRIPT_NYIAKENG_PUACHUE_HMONG, "Nyiakeng_Puachue_Hmong"},
    {G_UNICODE_SCRIPT_WANCHO, "Wancho"},
    {G_UNICODE_SCRIPT_CHORASMIAN, "Chorasmian"},
    {G_UNICODE_SCRIPT_DIVES_AKURU, "Dives_Akuru"},
    {G_UNICODE_SCRIPT_KHITAN_SMALL_SCRIPT, "Khitan_Small_Script"},
    {G_UNICODE_SCRIPT_YEZIDI, "Yezidi"},
    {G_UNICODE_SCRIPT_CYPRO_MINOAN, "Cypro_Minoan"},
    {G_UNICODE_SCRIPT_OLD_UYGHUR, "Old_Uyghur"},
    {G_UNICODE_SCRIPT_TANGSA, "Tangsa"},
    {G_UNICODE_SCRIPT_TOTO, "Toto"},
    {G_UNICODE_SCRIPT_VITHKUQI, "Vithkuqi"},
    {G_UNICODE_SCRIPT_MATH, "Math"},
    {G_UNICODE_SCRIPT_KAWI, "Kawi"},
    {G_UNICODE_SCRIPT_NAG_MUNDARI, "Nag_Mundari"},
};

void script_count(const char *text, size_t length, struct script_counts *counts)
{
    size_t used;
    for (size_t i = 0; i < length; i += used) {
        int c = charset_utf8_next(text + i, length - i, &used);
        if (c < 0 || !g_unichar_isalpha((gunichar)c))
            continue;
        GUnicodeScript script = g_unichar_get_script((gunichar)c);
        if (script == G_UNICODE_SCRIPT_COMMON || script == G_UNICODE_SCRIPT_INHERITED ||
            script == G_UNICODE_SCRIPT_UNKNOWN || (int)script < 0 || (int)script >= SCRIPT_MAX)
            continue;
        counts->letters++;
        counts->of[script]++;
    }
}

/* Compares names as Unicode does (UAX 44, LM3): case, spaces, "_" and "-" do not matter. */
static bool names_match(const char *a, const char *b)
{
    for (;;) {
        a += strspn(a, "_- ");
        b += strspn(b, "_- ");
        if (!*a || !*b)
            return *a == *b;
        if (g_ascii_tolower(*a++) != g_ascii_tolower(*b++))
            return false;
    }
}

/* The script with the ISO 15924 code of four letters. */
static int find_code(const char *name)
{
    guint32 code = 0;
    for (int i = 0; i < 4; i++) {
        char c = i == 0 ? g_ascii_toupper(name[i]) : g_ascii_tolower(name[i]);
        code = (code << 8) | (guchar)c;
    }
    int script = (int)g_unicode_script_from_iso15924(code);
    return script_name(script) ? script : -1;
}

int script_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(scripts); i++)
        if (names_match(name, scripts[i].name))
            return (int)scripts[i].script;
    return strlen(name) == 4 ? find_code(name) : -1;
}

const char *script_name(int script)
{
    for (size_t i = 0; i < G_N_ELEMENTS(scripts); i++)
        if ((int)scripts[i].script == script)
            return scripts[i].name;
    return NULL;
}

const char *const *script_names(size_t *count_r)
{
    static const char *const common[] = {
        "Arabic", "Armenian", "Bengali",  "Cyrillic", "Devanagari", "Georgian", "Greek", "Han",
        "Hangul", "Hebrew",   "Hiragana", "Katakana", "Latin",      "Tamil",    "Thai"};
    *count_r = G_N_ELEMENTS(common);
    return common;
}

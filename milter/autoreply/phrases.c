/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Words of many languages. To teach the guard another one, add its rows here and a message to
 * test/autoreply/.
 */
#include "phrases.h"

#include <glib.h>
#include <string.h>

/* What a character becomes in comparison; 0: it is left out. */
static gunichar fold_char(gunichar c)
{
    switch (c) {
    case 0x00a0:
    case 0x202f:
    case 0x2007:
    case 0x2009:
    case 0x3000:
    case '\t':
    case '\f':
    case '\v':
        return ' ';
    case 0x2018:
    case 0x2019:
    case 0x02bc:
    case 0x00b4:
        return '\'';
    case 0x201c:
    case 0x201d:
    case 0x201e:
    case 0x00ab:
        return '"';
    case 0x2010:
    case 0x2011:
    case 0x2012:
    case 0x2013:
    case 0x2014:
    case 0x2015:
    case 0x2500:
        return '-';
    case 0xff1a:
        return ':';
    case 0xff1e:
    case 0x203a:
    case 0x00bb:
        return '>';
    case 0xff1c:
        return '<';
    case 0xff5c:
    case 0x2502:
    case 0x2503:
    case 0x258e:
    case 0x258c:
        return '|';
    case 0x0451:
        return 0x0435; /* Russian yo is as often written ye */
    case '\r':
    case 0x00ad:
    case 0x200b:
    case 0x200c:
    case 0x200d:
    case 0x200e:
    case 0x200f:
    case 0x202a:
    case 0x202b:
    case 0x202c:
    case 0x202d:
    case 0x202e:
    case 0x2066:
    case 0x2067:
    case 0x2068:
    case 0x2069:
    case 0xfeff:
    case 0x0307:
        return 0;
    default:
        return g_unichar_tolower(c);
    }
}

char *phrases_fold(const char *text, size_t size)
{
    GString *out = g_string_sized_new(size + 1);
    for (const char *p = text, *end = text + size; p < end;) {
        unsigned char byte = (unsigned char)*p;
        if (byte < 0x80) {
            if (byte != '\r')
                g_string_append_c(out, byte == '\t' || byte == '\f' || byte == '\v'
                                           ? ' '
                                           : g_ascii_tolower((char)byte));
            p++;
            continue;
        }
        gunichar c = fold_char(g_utf8_get_char(p));
        if (c)
            g_string_append_unichar(out, c);
        p = g_utf8_next_char(p);
    }
    return g_string_free(out, FALSE);
}

static const char *const auto_prefixes[] = {
    "automatic reply:",
    "automatic response:",
    "auto reply:",
    "auto-reply:",
    "autoreply:",
    "auto response:",
    "auto-response:",
    "autoresponse:",
    "[auto-reply]",
    "[auto reply]",
    "[autoreply]",
    "[automatic reply]",
    "(auto-reply)",
    "auto:",
    "auto-re:",
    "autore:",
    "auto re:",
    "[auto]",
    "automated reply:",
    "automated response:",
    "out of office:",
    "out of office autoreply:",
    "out of office auto-reply:",
    "out of office reply:",
    "out of the office:",
    "out-of-office:",
    "ooo:",
    "[ooo]",
    "oof:",
    "vacation reply:",
    "vacation:",
    "vacation notice:",
    "away:",
    "away from my mail",
    "auto responder:",
    "autoresponder:",
    "this is an automatic reply",
    "automatic confirmation:",
    "automatische antwort:",
    "automatische antwort auf:",
    "automatische antwort",
    "autoantwort:",
    "auto-antwort:",
    "abwesenheitsnotiz:",
    "abwesenheitsnotiz",
    "abwesenheitsmeldung",
    "abwesenheitsnachricht",
    "abwesenheitsassistent",
    "abwesend:",
    "abwesenheit:",
    "urlaubsbenachrichtigung",
    "nicht im büro:",
    "automatische rückantwort",
    "automatische eingangsbestätigung",
    "eingangsbestätigung:",
    "réponse automatique",
    "réponse auto",
    "message d'absence",
    "notification d'absence",
    "absence du bureau",
    "absent du bureau",
    "absence :",
    "absence:",
    "respuesta automática",
    "respuesta automatica",
    "fuera de la oficina",
    "ausente de la oficina",
    "respuesta de fuera de la oficina",
    "risposta automatica",
    "fuori sede",
    "fuori ufficio",
    "assente dall'ufficio",
    "resposta automática",
    "resposta automatica",
    "ausente do escritório",
    "fora do escritório",
    "resposta automàtica",
    "fora de l'oficina",
    "automatisch antwoord",
    "automatische beantwoording",
    "afwezigheidsbericht",
    "afwezig:",
    "niet aanwezig:",
    "automatisch bericht:",
    "automatisk svar",
    "autosvar",
    "autosvar:",
    "ikke til stede",
    "fraværsbesked",
    "fraværsmelding",
    "automatiskt svar",
    "frånvaromeddelande",
    "frånvarande:",
    "automaattinen vastaus",
    "automaattivastaus",
    "poissaoloviesti",
    "poissaoloilmoitus",
    "poissa toimistosta",
    "sjálfvirkt svar",
    "automatyczna odpowiedź",
    "odpowiedź automatyczna",
    "autoodpowiedź",
    "poza biurem",
    "nieobecność",
    "automatická odpověď",
    "automatická odpoveď",
    "mimo kancelář",
    "mimo kancelárie",
    "nepřítomnost",
    "automatikus válasz",
    "automata válasz",
    "házon kívül",
    "răspuns automat",
    "raspuns automat",
    "în afara biroului",
    "automatski odgovor",
    "samodejni odgovor",
    "odsutan",
    "odsoten",
    "automaatvastus",
    "automaatne vastus",
    "automātiskā atbilde",
    "automatinis atsakymas",
    "αυτόματη απάντηση",
    "otomatik yanıt",
    "ofis dışında",
    "автоответ",
    "автоматический ответ",
    "автоматически отговор",
    "автоматична відповідь",
    "вне офиса",
    "автовідповідь",
    "自动答复",
    "自动回复",
    "自動回覆",
    "自動答覆",
    "自動応答",
    "自動返信",
    "不在通知",
    "자동 회신",
    "자동 응답",
    "부재 중",
    "رد تلقائي",
    "الرد التلقائي",
    "תגובה אוטומטית",
    "מחוץ למשרד",
    "balasan otomatis",
    "trả lời tự động",
    "ตอบกลับอัตโนมัติ",
};

static const char *const auto_subjects[] = {
    "out of office",
    "out-of-office",
    "out of the office",
    "on vacation",
    "away from my mail",
    "autoreply",
    "auto-reply",
    "auto reply",
    "automatic reply",
    "automatic response",
    "automated response",
    "automated reply",
    "autoresponse",
    "auto-response",
    "autoresponder",
    "vacation message",
    "vacation reply",
    "on holiday",
    "on leave",
    "away from the office",
    "away from office",
    "ooo",
    "automatische antwort",
    "abwesenheit",
    "im urlaub",
    "urlaub",
    "nicht im büro",
    "außer haus",
    "ausser haus",
    "réponse automatique",
    "absent",
    "en congé",
    "en vacances",
    "respuesta automática",
    "fuera de la oficina",
    "vacaciones",
    "risposta automatica",
    "fuori ufficio",
    "in ferie",
    "resposta automática",
    "de férias",
    "ausente",
    "automatisch antwoord",
    "afwezig",
    "op vakantie",
    "niet op kantoor",
    "autosvar",
    "automatisk svar",
    "automatiskt svar",
    "på ferie",
    "på semester",
    "automaattinen vastaus",
    "lomalla",
    "poissa",
    "automatyczna odpowiedź",
    "na urlopie",
    "automatická odpověď",
    "na dovolené",
    "automatikus válasz",
    "szabadság",
    "otomatik yanıt",
    "автоответ",
    "в отпуске",
    "自动回复",
    "自动答复",
    "自動応答",
    "自動返信",
    "休假",
    "休暇",
    "부재",
};

static const char *const auto_bodies[] = {
    "out of office",
    "out of the office",
    "out-of-office",
    "away from the office",
    "on vacation",
    "on holiday",
    "on leave",
    "automatic reply",
    "automated reply",
    "automatic response",
    "automated response",
    "automatic message",
    "automated message",
    "auto-reply",
    "autoreply",
    "auto-response",
    "autoresponder",
    "automatically generated",
    "will not be reading",
    "am currently away",
    "i am away",
    "limited access to",
    "no longer work",
    "no longer with",
    "has left the company",
    "we have received your",
    "your message has been received",
    "has been received and",
    "automatische antwort",
    "automatisch erzeugt",
    "automatisch generiert",
    "automatisch erstellt",
    "automatisierte",
    "nicht im büro",
    "nicht im hause",
    "außer haus",
    "ausser haus",
    "im urlaub",
    "bin abwesend",
    "abwesenheit",
    "nicht erreichbar",
    "ich bin ab",
    "bin ich wieder",
    "réponse automatique",
    "message automatique",
    "absent",
    "en congé",
    "en vacances",
    "de retour le",
    "respuesta automática",
    "mensaje automático",
    "fuera de la oficina",
    "de vacaciones",
    "ausente",
    "risposta automatica",
    "messaggio automatico",
    "fuori ufficio",
    "in ferie",
    "assente",
    "resposta automática",
    "mensagem automática",
    "de férias",
    "automatisch antwoord",
    "automatisch bericht",
    "afwezig",
    "op vakantie",
    "niet op kantoor",
    "autosvar",
    "automatisk svar",
    "automatiskt svar",
    "på ferie",
    "på semester",
    "frånvarande",
    "automaattinen vastaus",
    "lomalla",
    "poissa",
    "automatyczna",
    "automatycznie",
    "na urlopie",
    "nieobecn",
    "automatick",
    "na dovolen",
    "automatikus",
    "szabadság",
    "otomatik",
    "izinde",
    "автоответ",
    "автоматическ",
    "в отпуск",
    "отсутств",
    "自动回复",
    "自动答复",
    "休假",
    "自動応答",
    "自動返信",
    "休暇",
    "자동 회신",
    "부재",
};

static const char *const bounce_bodies[] = {
    "hi. this is the ",
    "this message was created automatically by mail delivery software",
    "this is the mail system at host",
    "this is the postfix program at host",
    "the original message was received at",
    "a message that you sent could not be delivered",
    "a message that you sent has not yet been delivered",
    "your message did not reach some or all",
    "this is an automatically generated delivery status",
    "delivery has failed to these recipients",
    "delivery to the following recipient",
    "sorry to have to inform you",
    "this report relates to a message",
    "this is a permanent error",
    "the following addresses had permanent fatal errors",
    "could not deliver message",
    "failed to deliver to",
    "undelivered mail",
    "undeliverable",
    "mail delivery failed",
    "this is a delivery failure notification",
};

static const char *const separators[] = {
    "original message",
    "original appointment",
    "original mail",
    "original e-mail",
    "original email",
    "original message text",
    "original message follows",
    "original text",
    "your original message",
    "begin original message",
    "start of original message",
    "start original message",
    "forwarded message",
    "begin forwarded message",
    "forwarded mail",
    "forwarded email",
    "begin message",
    "reply message",
    "returned message",
    "returned mail follows",
    "received message follows",
    "received message",
    "message follows",
    "quoted message",
    "quoted text",
    "quoted original",
    "reply above this line",
    "unsent message",
    "unsent message below",
    "copy of message",
    "copy of your message",
    "message header",
    "message headers",
    "your message",
    "your message follows",
    "message text follows",
    "transcript of session follows",
    "the following addresses had permanent fatal errors",
    "included message",
    "unsent message follows",
    "original message header",
    "mail you sent",
    "below this line is a copy of the message",
    "this is a copy of the message",
    "this is a copy of your message",
    "this is a copy of the message, including all the headers",
    "this is a copy of the message, including all the headers.",
    "below this line is a copy of the message.",
    "body of message",
    "message body",
    "ursprüngliche nachricht",
    "urspruengliche nachricht",
    "original-nachricht",
    "originalnachricht",
    "originalmail",
    "ursprüngliche e-mail",
    "ursprünglicher termin",
    "ihre nachricht",
    "ihre ursprüngliche nachricht",
    "ihre mail",
    "ihre e-mail",
    "weitergeleitete nachricht",
    "anfang der weitergeleiteten nachricht",
    "anfang der weitergeleiteten e-mail",
    "message original",
    "message d'origine",
    "message initial",
    "mail original",
    "courriel original",
    "votre message",
    "message transféré",
    "message transmis",
    "début du message transféré",
    "début du message réexpédié",
    "rendez-vous d'origine",
    "mensaje original",
    "correo original",
    "mensaje reenviado",
    "su mensaje",
    "inicio del mensaje reenviado",
    "messaggio originale",
    "messaggio inoltrato",
    "inizio messaggio inoltrato",
    "il suo messaggio",
    "mensagem original",
    "mensagem encaminhada",
    "mensagem reencaminhada",
    "sua mensagem",
    "início da mensagem reenviada",
    "missatge original",
    "missatge reenviat",
    "mensaxe orixinal",
    "oorspronkelijk bericht",
    "origineel bericht",
    "oorspronkelijke bericht",
    "uw bericht",
    "doorgestuurd bericht",
    "begin doorgestuurd bericht",
    "oprindelig meddelelse",
    "original meddelelse",
    "videresendt meddelelse",
    "videresendt besked",
    "din meddelelse",
    "opprinnelig melding",
    "opphavleg melding",
    "videresendt melding",
    "videresendt e-post",
    "ursprungligt meddelande",
    "originalmeddelande",
    "vidarebefordrat meddelande",
    "alkuperäinen viesti",
    "välitetty viesti",
    "edelleenlähetetty viesti",
    "upprunaleg skilaboð",
    "wiadomość oryginalna",
    "oryginalna wiadomość",
    "wiadomość przekazana",
    "przekazana wiadomość",
    "wiadomość pierwotna",
    "treść przekazanej wiadomości",
    "treść oryginalnej wiadomości",
    "původní zpráva",
    "původní e-mail",
    "přeposlaná zpráva",
    "pôvodná správa",
    "preposlaná správa",
    "eredeti üzenet",
    "eredeti levél",
    "továbbított üzenet",
    "továbbított levél",
    "mesaj original",
    "mesajul original",
    "mesaj redirecționat",
    "mesaj forwardat",
    "izvorna poruka",
    "originalna poruka",
    "izvirno sporočilo",
    "proslijeđena poruka",
    "posredovano sporočilo",
    "algne kiri",
    "algne sõnum",
    "originalais ziņojums",
    "sākotnējais ziņojums",
    "originalus laiškas",
    "pradinis laiškas",
    "mesazhi origjinal",
    "oorspronklike boodskap",
    "neges wreiddiol",
    "orijinal mesaj",
    "özgün ileti",
    "orijinal ileti",
    "iletilmiş mesaj",
    "iletilen mesaj",
    "αρχικό μήνυμα",
    "πρωτότυπο μήνυμα",
    "исходное сообщение",
    "первоначальное сообщение",
    "исходное письмо",
    "оригинальное сообщение",
    "пересланное сообщение",
    "переадресованное сообщение",
    "вихідне повідомлення",
    "оригінальне повідомлення",
    "оригинално съобщение",
    "оригинално писмо",
    "原始邮件",
    "原邮件",
    "原始消息",
    "转发的邮件",
    "转发邮件信息",
    "原始郵件",
    "原始信件",
    "轉寄的郵件",
    "元のメッセージ",
    "元のメール",
    "オリジナルメッセージ",
    "転送メッセージ",
    "원본 메시지",
    "원본메시지",
    "원본 메일",
    "الرسالة الأصلية",
    "הודעה מקורית",
    "پیام اصلی",
    "pesan asli",
    "thư gốc",
    "ข้อความต้นฉบับ",
};

/* Between dashes these stand before a name or a date. */
static const char *const separator_prefixes[] = {
    "forwarded by ",       "forwarded message from ", "original message from ",
    "weitergeleitet von ", "transféré par ",          "reenviado por ",
    "inoltrato da ",       "original message sent ",  "doorgestuurd door ",
    "vidarebefordrat av ", "this is a copy of ",      "below this line is a copy of ",
};

static const char *const bare_separators[] = {
    "original message",
    "your original message",
    "the original message",
    "original message follows",
    "your original message follows",
    "original email",
    "original e-mail",
    "original mail",
    "your original mail",
    "your original email",
    "begin forwarded message",
    "forwarded message",
    "your message was",
    "your message reads",
    "your message follows",
    "your message is quoted below",
    "the message you sent",
    "the message you sent was",
    "the text of your message",
    "text of your message",
    "your message was as follows",
    "your e-mail",
    "your email",
    "your mail",
    "your mail was",
    "copy of your message",
    "a copy of your message",
    "you wrote",
    "you said",
    "your message",
    "your request",
    "your question",
    "message received",
    "received message",
    "quoted message",
    "quoted text",
    "body of your message",
    "ursprüngliche nachricht",
    "ihre nachricht",
    "ihre nachricht lautete",
    "ihre ursprüngliche nachricht",
    "ihre mail",
    "ihre e-mail",
    "ihre anfrage",
    "sie schrieben",
    "sie schrieben uns",
    "du schriebst",
    "text ihrer nachricht",
    "anfang der weitergeleiteten nachricht",
    "originalnachricht",
    "votre message",
    "votre message initial",
    "message d'origine",
    "message original",
    "vous avez écrit",
    "votre demande",
    "rappel de votre message",
    "su mensaje",
    "su mensaje original",
    "mensaje original",
    "usted escribió",
    "il suo messaggio",
    "messaggio originale",
    "lei ha scritto",
    "sua mensagem",
    "mensagem original",
    "você escreveu",
    "uw bericht",
    "uw oorspronkelijke bericht",
    "oorspronkelijk bericht",
    "u schreef",
    "din meddelelse",
    "du skrev",
    "ditt meddelande",
    "din henvendelse",
    "alkuperäinen viesti",
    "viestisi",
    "twoja wiadomość",
    "oryginalna wiadomość",
    "vaše zpráva",
    "původní zpráva",
    "eredeti üzenet",
    "ваше сообщение",
    "ваше письмо",
    "вы писали",
    "исходное сообщение",
    "您的邮件",
    "原始邮件",
    "元のメッセージ",
};

/* "wrote"; a blank before or after belongs to the phrase where the word is short. */
static const char *const verbs[] = {
    "wrote",      "writes",     "schrieb",     "schreibt",     "a écrit",      "escribió",
    "escribio",   "ha scritto", "escreveu",    "va escriure",  "escribiu",     "schreef",
    "geschreven", "skrev",      "kirjoitti",   "kirjutas",     "rakstīja",     "rašė",
    "napisał",    "pisze",      "napsal",      "napísal",      "írta",         "a scris",
    "je napisao", "je napisal", "je napisala", "napisao je",   "napisala je",  "shkroi",
    "yazdı",      "í skrifaði", "skrifaði",    "skreiv",       "έγραψε",       "έγραψεν",
    "написал",    "пишет",      "писал",       "написа",       "написав",      "写道",
    "寫道",       "写到",       "於",          "が書きました", "は書きました", "さんは",
    "書いた",     "님이 작성",  "작성",        "썼",           "كتب",          "نوشت",
    "כתב",        "menulis",    "đã viết",     "เขียน",         "ysgrifennodd", "scrisse",
    "geskryf",    "skribis",    "idatzi",
};

static const char *const leads[] = {
    "on ",     "am ",      "le ",          "el ",   "il ",      "em ",        "op ", "den ",  "på ",
    "dne ",    "dnia ",    "w dniu ",      "в ",    "a ",       "în ",        "pe ", "dana ", "na ",
    "no dia ", "in data ", "in a message", "at ",   "quoting ", "zitat von ", "在 ", "在",    "於 ",
    "في ",     "בתאריך",   "στην ",        "στις ", "vào ",     "pada ",      "на ", "itä ",  "ti ",
    "ma ",     "man ",     "tir ",         "ons ",  "tor ",     "fre ",
};

struct label {
    const char *text;
    enum phrases_label label;
};

static const struct label labels[] = {
    {"from", LABEL_FROM},
    {"von", LABEL_FROM},
    {"de", LABEL_FROM},
    {"da", LABEL_FROM},
    {"van", LABEL_FROM},
    {"fra", LABEL_FROM},
    {"från", LABEL_FROM},
    {"lähettäjä", LABEL_FROM},
    {"od", LABEL_FROM},
    {"nadawca", LABEL_FROM},
    {"odesílatel", LABEL_FROM},
    {"от", LABEL_FROM},
    {"от кого", LABEL_FROM},
    {"отправитель", LABEL_FROM},
    {"від", LABEL_FROM},
    {"feladó", LABEL_FROM},
    {"kimden", LABEL_FROM},
    {"gönderen", LABEL_FROM},
    {"από", LABEL_FROM},
    {"发件人", LABEL_FROM},
    {"寄件者", LABEL_FROM},
    {"寄件人", LABEL_FROM},
    {"差出人", LABEL_FROM},
    {"送信者", LABEL_FROM},
    {"送信元", LABEL_FROM},
    {"보낸 사람", LABEL_FROM},
    {"보낸사람", LABEL_FROM},
    {"발신", LABEL_FROM},
    {"من", LABEL_FROM},
    {"מאת", LABEL_FROM},
    {"expéditeur", LABEL_FROM},
    {"remitente", LABEL_FROM},
    {"mittente", LABEL_FROM},
    {"remetente", LABEL_FROM},
    {"afzender", LABEL_FROM},
    {"absender", LABEL_FROM},
    {"avsändare", LABEL_FROM},
    {"afsender", LABEL_FROM},
    {"avsender", LABEL_FROM},
    {"sender", LABEL_FROM},
    {"saatja", LABEL_FROM},
    {"no", LABEL_FROM},
    {"nuo", LABEL_FROM},
    {"từ", LABEL_FROM},
    {"dari", LABEL_FROM},
    {"จาก", LABEL_FROM},
    {"expeditor", LABEL_FROM},
    {"de la", LABEL_FROM},
    {"pošiljatelj", LABEL_FROM},
    {"kellelt", LABEL_FROM},
    {"date", LABEL_DATE},
    {"sent", LABEL_DATE},
    {"sent at", LABEL_DATE},
    {"date sent", LABEL_DATE},
    {"when", LABEL_DATE},
    {"gesendet", LABEL_DATE},
    {"gesendet am", LABEL_DATE},
    {"datum", LABEL_DATE},
    {"envoyé", LABEL_DATE},
    {"envoyé le", LABEL_DATE},
    {"date d'envoi", LABEL_DATE},
    {"enviado", LABEL_DATE},
    {"enviado el", LABEL_DATE},
    {"enviado em", LABEL_DATE},
    {"enviada em", LABEL_DATE},
    {"enviada", LABEL_DATE},
    {"fecha", LABEL_DATE},
    {"data", LABEL_DATE},
    {"inviato", LABEL_DATE},
    {"inviata", LABEL_DATE},
    {"inviato il", LABEL_DATE},
    {"data de envío", LABEL_DATE},
    {"verzonden", LABEL_DATE},
    {"sendt", LABEL_DATE},
    {"dato", LABEL_DATE},
    {"skickat", LABEL_DATE},
    {"lähetetty", LABEL_DATE},
    {"päivämäärä", LABEL_DATE},
    {"päiväys", LABEL_DATE},
    {"wysłano", LABEL_DATE},
    {"odesláno", LABEL_DATE},
    {"odoslané", LABEL_DATE},
    {"dátum", LABEL_DATE},
    {"küldve", LABEL_DATE},
    {"elküldve", LABEL_DATE},
    {"отправлено", LABEL_DATE},
    {"дата", LABEL_DATE},
    {"надіслано", LABEL_DATE},
    {"изпратено", LABEL_DATE},
    {"gönderildi", LABEL_DATE},
    {"gönderme tarihi", LABEL_DATE},
    {"tarih", LABEL_DATE},
    {"ημερομηνία", LABEL_DATE},
    {"στάλθηκε", LABEL_DATE},
    {"发送时间", LABEL_DATE},
    {"日期", LABEL_DATE},
    {"寄件日期", LABEL_DATE},
    {"傳送日期", LABEL_DATE},
    {"已发送", LABEL_DATE},
    {"送信日時", LABEL_DATE},
    {"日付", LABEL_DATE},
    {"日時", LABEL_DATE},
    {"보낸 날짜", LABEL_DATE},
    {"날짜", LABEL_DATE},
    {"تاريخ", LABEL_DATE},
    {"التاريخ", LABEL_DATE},
    {"תאריך", LABEL_DATE},
    {"נשלח", LABEL_DATE},
    {"poslano", LABEL_DATE},
    {"trimis", LABEL_DATE},
    {"ngày", LABEL_DATE},
    {"tanggal", LABEL_DATE},
    {"to", LABEL_TO},
    {"an", LABEL_TO},
    {"à", LABEL_TO},
    {"pour", LABEL_TO},
    {"para", LABEL_TO},
    {"a", LABEL_TO},
    {"per", LABEL_TO},
    {"aan", LABEL_TO},
    {"til", LABEL_TO},
    {"till", LABEL_TO},
    {"vastaanottaja", LABEL_TO},
    {"do", LABEL_TO},
    {"komu", LABEL_TO},
    {"кому", LABEL_TO},
    {"до", LABEL_TO},
    {"címzett", LABEL_TO},
    {"kime", LABEL_TO},
    {"alıcı", LABEL_TO},
    {"προς", LABEL_TO},
    {"收件人", LABEL_TO},
    {"收件者", LABEL_TO},
    {"宛先", LABEL_TO},
    {"받는 사람", LABEL_TO},
    {"إلى", LABEL_TO},
    {"אל", LABEL_TO},
    {"empfänger", LABEL_TO},
    {"destinataire", LABEL_TO},
    {"kam", LABEL_TO},
    {"kellele", LABEL_TO},
    {"za", LABEL_TO},
    {"către", LABEL_TO},
    {"kepada", LABEL_TO},
    {"cc", LABEL_CC},
    {"kopie", LABEL_CC},
    {"copie à", LABEL_CC},
    {"kopi", LABEL_CC},
    {"kopio", LABEL_CC},
    {"kopia", LABEL_CC},
    {"копия", LABEL_CC},
    {"抄送", LABEL_CC},
    {"副本", LABEL_CC},
    {"subject", LABEL_SUBJECT},
    {"betreff", LABEL_SUBJECT},
    {"objet", LABEL_SUBJECT},
    {"sujet", LABEL_SUBJECT},
    {"asunto", LABEL_SUBJECT},
    {"oggetto", LABEL_SUBJECT},
    {"assunto", LABEL_SUBJECT},
    {"assumpte", LABEL_SUBJECT},
    {"onderwerp", LABEL_SUBJECT},
    {"emne", LABEL_SUBJECT},
    {"ämne", LABEL_SUBJECT},
    {"aihe", LABEL_SUBJECT},
    {"temat", LABEL_SUBJECT},
    {"předmět", LABEL_SUBJECT},
    {"predmet", LABEL_SUBJECT},
    {"тема", LABEL_SUBJECT},
    {"tárgy", LABEL_SUBJECT},
    {"konu", LABEL_SUBJECT},
    {"θέμα", LABEL_SUBJECT},
    {"主题", LABEL_SUBJECT},
    {"主旨", LABEL_SUBJECT},
    {"件名", LABEL_SUBJECT},
    {"제목", LABEL_SUBJECT},
    {"الموضوع", LABEL_SUBJECT},
    {"موضوع", LABEL_SUBJECT},
    {"נושא", LABEL_SUBJECT},
    {"subiect", LABEL_SUBJECT},
    {"zadeva", LABEL_SUBJECT},
    {"teema", LABEL_SUBJECT},
    {"tēma", LABEL_SUBJECT},
    {"efni", LABEL_SUBJECT},
    {"chủ đề", LABEL_SUBJECT},
    {"perihal", LABEL_SUBJECT},
    {"re", LABEL_SUBJECT},
    {"received", LABEL_RAW},
    {"return-path", LABEL_RAW},
    {"message-id", LABEL_RAW},
    {"mime-version", LABEL_RAW},
    {"content-type", LABEL_RAW},
    {"content-transfer-encoding", LABEL_RAW},
    {"delivered-to", LABEL_RAW},
    {"x-original-to", LABEL_RAW},
    {"dkim-signature", LABEL_RAW},
    {"reply-to", LABEL_RAW},
    {"in-reply-to", LABEL_RAW},
    {"references", LABEL_RAW},
    {"x-mailer", LABEL_RAW},
    {"user-agent", LABEL_RAW},
    {"authentication-results", LABEL_RAW},
    {"received-spf", LABEL_RAW},
    {"thread-index", LABEL_RAW},
    {"x-spam-status", LABEL_RAW},
    {"envelope-to", LABEL_RAW},
    {"x-envelope-from", LABEL_RAW},
};

static const char *find_prefix(const char *const *list, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (g_str_has_prefix(text, list[i]))
            return list[i];
    return NULL;
}

/* A phrase that begins or ends in an ASCII letter must not be part of a longer word. */
static bool stands_alone(const char *text, const char *hit, const char *phrase)
{
    const char *after = hit + strlen(phrase);
    bool before_ok = hit == text || !g_ascii_isalpha(hit[-1]) || !g_ascii_isalpha(phrase[0]);
    return before_ok && (!g_ascii_isalpha(after[-1]) || !g_ascii_isalpha(*after));
}

static const char *find_word(const char *const *list, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        const char *hit = strstr(text, list[i]);
        if (hit && stands_alone(text, hit, list[i]))
            return list[i];
    }
    return NULL;
}

const char *phrases_auto_prefix(const char *subject)
{
    return find_prefix(auto_prefixes, G_N_ELEMENTS(auto_prefixes), subject);
}

const char *phrases_auto_subject(const char *subject)
{
    return find_word(auto_subjects, G_N_ELEMENTS(auto_subjects), subject);
}

const char *phrases_auto_body(const char *text)
{
    for (size_t i = 0; i < G_N_ELEMENTS(auto_bodies); i++)
        if (strstr(text, auto_bodies[i]))
            return auto_bodies[i];
    return NULL;
}

const char *phrases_bounce_body(const char *text)
{
    return find_prefix(bounce_bodies, G_N_ELEMENTS(bounce_bodies), text + strspn(text, " \n-=*_"));
}

const char *phrases_separator(const char *text, bool bare)
{
    const char *const *list = bare ? bare_separators : separators;
    size_t count = bare ? G_N_ELEMENTS(bare_separators) : G_N_ELEMENTS(separators);
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], text) == 0)
            return list[i];
    return bare ? NULL : find_prefix(separator_prefixes, G_N_ELEMENTS(separator_prefixes), text);
}

const char *phrases_verb_end(const char *text, size_t size)
{
    const char *last = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
        const char *hit = g_strrstr_len(text, (gssize)size, verbs[i]);
        if (!hit || (hit > text && g_ascii_isalpha(hit[-1])))
            continue;
        if (!last || hit + strlen(verbs[i]) > last)
            last = hit + strlen(verbs[i]);
    }
    return last;
}

bool phrases_attribution_lead(const char *text)
{
    return g_ascii_isdigit(*text) || find_prefix(leads, G_N_ELEMENTS(leads), text) != NULL;
}

enum phrases_label phrases_label(const char *text, size_t size)
{
    for (size_t i = 0; i < G_N_ELEMENTS(labels); i++)
        if (strlen(labels[i].text) == size && memcmp(labels[i].text, text, size) == 0)
            return labels[i].label;
    return LABEL_NONE;
}

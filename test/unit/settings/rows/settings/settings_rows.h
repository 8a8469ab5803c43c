/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows for test_sections.c, in place of the real ones: every type and every kind of section.
 */
SETTING(TEXT_P, "text", TEXT, "plain", ANY, MAIN | LISTENER, "t")
SETTING(NEEDED, "needed", TEXT, "x", NOT_EMPTY, MAIN, "t")
SETTING(LIST_P, "list", LIST, "a b", ANY, MAIN | LISTENER | PROFILE, "t")
SETTING(WORDS_P, "words", WORDS, "", ANY, MAIN, "t")
SETTING(BOOL_P, "bool", BOOL, "no", ANY, MAIN | LISTENER, "t")
SETTING(INTEGER_P, "integer", INTEGER, "0", BETWEEN("-5", "9223372036854775807"), MAIN, "t")
SETTING(TIME_P, "time", TIME, "5s", BETWEEN("1s", "2w"), MAIN | LISTENER, "t")
SETTING(SIZE_P, "size", SIZE, "1m", BETWEEN("1k", "1g"), MAIN, "t")
SETTING(SCORE_P, "tag", SCORE, "5.0", BETWEEN("-10.5", "100"), MAIN | PROFILE, "t")
SETTING(CHOICE_P, "choice", CHOICE, "red", CHOICES("red green blue"), MAIN | LISTENER, "t")
SETTING(OCTAL_P, "octal", OCTAL, "0660", BETWEEN("0", "0777"), MAIN, "t")
SETTING(PATH_P, "path", PATH, "", ANY, MAIN, "t")
SETTING(SOCKET_P, "socket", SOCKET, "unix:/a", NOT_EMPTY, MAIN, "t")
SETTING(TABLE_P, "table", TABLE, "", ANY, MAIN, "t")
SETTING(UNSET, "unset", TEXT, NULL, ANY, MAIN | LISTENER, "t")
SETTING(RULE_SCORE, "score", SCORE, "1.0", BETWEEN("-100", "100"), PROFILE | KEYED, "t")
SETTING(KEY_P, "key", TEXT, "sender", NOT_EMPTY, LIMIT, "t")
SETTING(MAX_P, "max", INTEGER, "1", BETWEEN("0", "1000"), LIMIT, "t")
SETTING(LIMIT_LIST, "list", TEXT, "other", ANY, LIMIT, "t")
SETTING(RESTRICTION_CLASSES, "restriction_classes", LIST, "", ANY, MAIN, "t")

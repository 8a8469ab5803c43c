/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Light and dark by the reader's wish; from 360 pixels on.
 */
#include "style.h"

/* A table on a narrow screen: a row is a block, and a cell says what it is. */
#define STACKED(table)                                                                             \
    table " thead{position:absolute;clip-path:inset(50%);height:1px;overflow:hidden}" table        \
          "," table " tbody," table " tr," table " td," table " th," table                         \
          " caption{display:block}" table                                                          \
          " tr{padding:.5rem 0;border-bottom:1px solid var(--line)}" table                         \
          " tr:last-child{border-bottom:0}" table " td," table                                     \
          " th{border:0;padding:.05rem 0}" table " td.n{text-align:left}" table                    \
          " td[data-l]::before{content:attr(data-l) ' ';color:var(--dim)}" table                   \
          " td[data-l]{display:inline-block;margin-right:1rem}" table " td:empty," table           \
          " td.none{display:none}"

const char web_style[] =
    ":root{color-scheme:light dark;--text:#1d2430;--dim:#5a6472;--back:#f5f6f8;--card:#fff;"
    "--line:#dfe3e8;--link:#1f63ab;--good:#22794a;--bad:#b92f28;--warn:#8a5a00;--warnback:#fff6e0}"
    "@media(prefers-color-scheme:dark){:root{--text:#e4e8ee;--dim:#9aa5b3;--back:#14171c;"
    "--card:#1d2128;--line:#323842;--link:#7db4ee;--good:#6cc794;--bad:#ff8a80;--warn:#f0c060;"
    "--warnback:#2d2617}}"
    "*{box-sizing:border-box}"
    "body{margin:0;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif;"
    "color:var(--text);background:var(--back)}"
    "a{color:var(--link)}a:focus-visible,button:focus-visible,input:focus-visible,"
    "summary:focus-visible{outline:3px solid var(--link);outline-offset:2px}"
    "header,main,footer{max-width:70rem;margin:0 auto;padding:0 1rem}"
    "header{padding-top:1.2rem;display:flex;flex-wrap:wrap;align-items:center;gap:.3rem 1rem}"
    "h1{font-size:1.5rem;margin:0;letter-spacing:-.01em}h1 a{color:inherit;text-decoration:none}"
    "h2{font-size:1.1rem;margin:0 0 .7rem}h3{font-size:1rem;margin:0}"
    "header p{margin:0;color:var(--dim);flex:1 1 16rem;font-size:.9rem}"
    "form{display:flex;gap:.5rem;flex:1 1 18rem;max-width:28rem}"
    "input{flex:1;min-width:0;font:inherit;padding:.4rem "
    ".6rem;color:inherit;background:var(--card);"
    "border:1px solid var(--line);border-radius:.4rem}"
    "button{font:inherit;padding:.4rem .9rem;color:#fff;background:#1f63ab;border:0;"
    "border-radius:.4rem;cursor:pointer}"
    "section{background:var(--card);border:1px solid var(--line);border-radius:.6rem;"
    "padding:1rem;margin:0 0 1rem}main{padding-top:1rem}"
    ".columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));"
    "gap:0 1rem}.columns>:last-child:nth-child(odd){grid-column:1/-1}"
    ".state{border-left:.4rem solid var(--good)}.state.ill{border-left-color:var(--bad)}"
    ".state ul{margin:0;padding-left:1.2rem}.state p{margin:0}"
    ".tiles,.tiles ul{display:flex;flex-wrap:wrap;gap:.5rem;margin:0;padding:0;list-style:none}"
    ".tiles{margin-bottom:.8rem}.tiles ul{flex:2 1 auto}.tiles ul:first-child{flex-grow:3}"
    ".tiles li{flex:1 1 0;min-width:max-content;max-width:calc(33.4% - .3rem);border-left:.3rem "
    "solid;border-radius:.2rem;padding:.1rem .3rem .1rem .5rem}"
    ".tiles b{display:block;font-size:1.15rem;white-space:nowrap;line-height:1.2;"
    "font-variant-numeric:tabular-nums;color:var(--text)}"
    ".tiles span{color:var(--dim);font-size:.85rem}"
    ".tiles .f0{border-color:#4e8fd0}.tiles .f1{border-color:#e0a030}"
    ".tiles .f2{border-color:#8a8f98}.tiles .f3{border-color:#9a7fc7}"
    ".tiles .f4{border-color:#d2524a}.tiles .f5{border-color:#c58aa0}"
    ".chart{display:block;max-width:46rem;height:auto;width:100%;color:var(--dim)}.narrow{display:"
    "none}"
    "table{border-collapse:collapse;width:100%;font-size:.92rem}"
    "caption{text-align:left;color:var(--dim);font-size:.85rem;padding-bottom:.3rem}"
    "th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;"
    "border-bottom:1px solid var(--line);overflow-wrap:anywhere}"
    "thead th{color:var(--dim);font-weight:600;font-size:.85rem}tbody th{font-weight:500}"
    "thead th{overflow-wrap:normal}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    "tr:last-child>td,tr:last-child>th{border-bottom:0}"
    ".decisions{table-layout:fixed}.decisions th:nth-child(1){width:6.5rem}"
    ".decisions th:nth-child(2){width:5.5rem}.decisions th:nth-child(3){width:9.5rem}"
    ".decisions th:nth-child(4){width:12.5rem}.decisions "
    "th:nth-child(5){width:11.5rem}.host{color:var(--text)}"
    ".bar{display:block;height:.5rem;width:100%;min-width:3rem;margin-top:.45rem}"
    "code,.addr{font-family:ui-monospace,'Cascadia Mono','Noto Sans "
    "Mono',monospace;font-size:.88em;"
    "overflow-wrap:anywhere}.addr,.age{white-space:nowrap}"
    ".dim{color:var(--dim)}.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}"
    ".badge{display:inline-block;padding:0 .5rem;border-radius:1rem;border:1px solid;"
    "font-size:.82rem;white-space:nowrap}"
    ".note{background:var(--warnback);border-color:var(--warn)}"
    "dl{display:grid;grid-template-columns:minmax(7rem,max-content) 1fr;gap:.15rem "
    "1rem;margin:.6rem 0 0;"
    "font-size:.9rem}dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}"
    "dd{grid-column:2}summary{cursor:pointer;color:var(--link)}"
    ".skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.3rem;padding:.2rem "
    ".6rem;background:var(--card)}"
    ".one{background:var(--card);border:1px solid var(--line);border-top:0}"
    "p+.one{border-radius:.6rem .6rem 0 0;border-top:1px solid var(--line)}"
    ".one:last-child{border-radius:0 0 .6rem .6rem;margin-bottom:1rem}"
    "p+.one:last-child{border-radius:.6rem}"
    ".one>summary{padding:.5rem 1rem;color:var(--text)}.one>summary h3{display:inline;"
    "font-weight:500;font-size:.95rem}.one h3 .dim{font-weight:400}.one>div{padding:0 1rem 1rem}"
    ".one .badge{min-width:5rem;text-align:center}"
    ".found{margin:-.3rem 0 .7rem;color:var(--dim)}h2,h3{overflow-wrap:anywhere}"
    "footer{color:var(--dim);font-size:.85rem;padding-bottom:2rem}"
    "@media(max-width:40rem){.wide{display:none}.narrow{display:block}section{padding:."
    "8rem}"
    "header form{max-width:none}.checks td:last-child{display:none}" STACKED(
        ".rows") "dl{grid-template-columns:1fr}dd{grid-column:1;margin-bottom:.3rem}}"
                 "@media(max-width:62rem){" STACKED(
                     ".decisions") ".decisions td[data-l]{display:block}"
                                   ".decisions "
                                   "td:nth-child(-n+2){display:inline-block;margin-right:1rem}}";

const char web_icon[] =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 32 32\"><rect width=\"32\" "
    "height=\"32\" "
    "rx=\"7\" fill=\"#1f63ab\"/><path d=\"M7 26V8M25 26V8M7 13h18M7 20h18M13 13v7M19 13v7\" "
    "stroke=\"#fff\" stroke-width=\"2.6\" stroke-linecap=\"round\" fill=\"none\"/></svg>";

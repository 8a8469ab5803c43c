#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The page in Debian's Chromium, by WebDriver: three widths, light and dark, hostile text, and from a
refusal to its trace by a click. SCREENSHOTS=FOLDER keeps the pictures."""
import socket
import sys
import time
sys.path.insert(0, sys.path[0] + '/../lib')
import browser as chromium
import gatepost
import place
import tap
import webpage
from browser import Browser
from milter import Milter
from month import Month
from tap import case, equal, match, true

WIDTHS = (360, 768, 1280)
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>\u202e'
FORMS = '[limit forms]\nkey = sender\nmax = 1\nper = 1d\nfor = mynetworks\n'
site = {}


def refuse(daemon, recipient='<x@far.example>', helo='client.example.com', sender='<a@example.com>'):
    mta = Milter(daemon.port)
    mta.negotiate()
    mta.connect()
    mta.helo(helo.encode())
    mta.mail(sender.encode())
    match('^550', mta.rcpt(recipient.encode())[1])
    mta.close()


def address(path='/', token=True):
    return 'http://%s127.0.0.1:%d%s' % ('x:%s@' % webpage.TOKEN if token else '', site['web'].port,
                                        path)


def fits(browser, width, shrink_most):
    """Nothing is wider than the screen, and of each plot the one drawing for its width is shown."""
    equal(browser.run('return document.documentElement.scrollWidth <= %d' % width), True,
          '%d pixels' % width)
    shown = browser.run('return [...document.querySelectorAll("svg.chart")].filter('
                        's => s.getBoundingClientRect().width > 0).map('
                        's => s.viewBox.baseVal.width / s.getBoundingClientRect().width)')
    equal(len(shown), 2, 'plots that are shown')
    true(max(shown) < shrink_most, 'letters of plots shrink by %s' % shown)


@case('nothing is wider than the screen, at three widths')
def widths():
    browser = site['browser']
    for width in WIDTHS:
        browser.width(width)
        browser.go(address(token=False))
        browser.picture('page-%d' % width)
        fits(browser, width, 1.3)
    equal(browser.complaints(), [], 'the console')


@case('the report of gatepostctl: its plots fit, at three widths, and their letters do not shrink')
def report():
    path = place.folder() + '/report.html'

    def written():
        return site['daemon'].control('report', '--html', path).returncode == 0
    tap.until(written, 10, 'the report')
    browser = site['browser']
    for width in WIDTHS:
        browser.width(width)
        browser.go('file://' + path)
        browser.picture('report-%d' % width)
        equal(browser.run('return [...document.querySelectorAll(".plot, .plot div")].filter('
                          'e => e.scrollWidth > e.clientWidth).length'), 0, 'plots that scroll')
        fits(browser, width, 1.2)
    equal(browser.complaints(), [], 'the console')


@case('a month of large numbers has room from a telephone to a wide screen')
def month():
    site['month'] = Month()
    browser, here = site['browser'], 'http://127.0.0.1:%d' % site['month'].web.port
    browser.go('http://x:%s@127.0.0.1:%d/login' % (webpage.TOKEN, site['month'].web.port))
    browser.go(here)
    for width in range(360, 1601, 40):
        browser.width(width)
        fits(browser, width, 1.3)
        rows = browser.run(
            'return [...document.querySelectorAll(".tiles")].map(t => { const rows = {}; '
            't.querySelectorAll("li").forEach(l => { const top = l.getBoundingClientRect().top; '
            'rows[top] = (rows[top] || 0) + 1 }); return Object.values(rows) })')
        true(len(rows) >= 2 and all(row in ([5], [3, 2]) for row in rows), 'tiles at %d: %s' % (width, rows))
        equal(browser.run('return [...document.querySelectorAll("li, th, td.n, h2, .badge, .addr, summary")]'
                          '.filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 1 && '
                          'getComputedStyle(e).display != "inline").map(e => e.outerHTML)'), [],
              'what is cut at %d' % width)
    equal(browser.complaints(), [], 'the console')


@case('what a search finds: lines that open, by the keyboard too, and no page without end')
def search():
    browser, here = site['browser'], 'http://127.0.0.1:%d' % site['month'].web.port
    for width in WIDTHS:
        browser.width(width)
        for name, word in (('search', 'lab.test'), ('few', 'postmaster@elsewhere.example'),
                           ('nothing', 'nobody@example.net'), ('empty', '')):
            browser.go(here + '/search?q=' + word)
            browser.picture('%s-%d' % (name, width))
            equal(browser.run('return document.documentElement.scrollWidth'), width, name)
    browser.go(here + '/search?q=lab.test')
    equal(browser.run('return document.title'), 'gatepost: lab.test', 'title')
    match('^[0-9]+ decisions, the oldest first, times in ', browser.text('.found'))
    true(len(browser.find('details:not([open])')) > 50 and not browser.find('details[open]'), 'closed')
    equal(browser.run('return [...document.querySelectorAll("h1, h2, h3")].slice(0, 4).map(e => e.tagName)'),
          ['H1', 'H2', 'H3', 'H3'], 'headings')
    browser.press('\ue004')
    equal(browser.run('return document.activeElement.className'), 'skip', 'the first to have the focus')
    true(browser.run('return document.activeElement.getBoundingClientRect().left') >= 0, 'it is seen')
    browser.press('\ue007')
    for _ in range(3):  # whoever goes to the content does not pass the head again
        browser.press('\ue004')
        if browser.run('return document.activeElement.tagName') == 'SUMMARY':
            break
    equal(browser.run('return document.activeElement == document.querySelector("summary")'), True, 'behind it')
    browser.press('\ue007')
    tap.until(lambda: browser.find('details[open]'), 5, 'opened by a key')
    true('session' in browser.text('details[open]'), 'all of it')
    equal(browser.run('return [...document.querySelectorAll("input, button")].filter('
                      'e => !(e.ariaLabel || e.textContent)).length'), 0, 'fields without a name')
    equal(browser.run('return [...document.querySelectorAll("dl")].filter('
                      'd => d.firstElementChild.tagName != "DT" || [...d.querySelectorAll("dt, dd")].some('
                      'e => !e.textContent)).length'), 0, 'facts without a name')
    browser.click(browser.find('details[open] dd a')[0])
    tap.until(lambda: 'q=192.0.2.30' in browser.call('/url'), 10, 'all of the client')
    equal(browser.complaints(), [], 'the console')


@case('it says what there is without a script, to a screen reader too')
def readable():
    browser = site['browser']
    browser.width(1280)
    browser.go(address(token=False))
    equal(browser.find('script, [onclick], [style]'), [], 'scripts and the like')
    equal(browser.run('return document.documentElement.lang'), 'en', 'language')
    true(len(browser.find('svg[role=img] > title')) >= 2, 'titles of plots')
    true('reject_unauth_destination' in browser.text('main'), 'the check')
    true(browser.find('meta[http-equiv=refresh]'), 'it loads itself anew')
    equal(browser.run('return [...document.querySelectorAll("main section > table")].filter('
                      't => !t.caption || t.querySelector("thead th:not([scope])")).length'), 0,
          'tables without a caption, or heads without a scope')
    true(socket.gethostname() in browser.text('header'), 'which host it is')
    true(time.strftime('%Z') in browser.text('footer'), 'the zone of its times')


@case('what has the focus is seen, and all is reached by the keyboard')
def keyboard():
    browser = site['browser']
    browser.go(address(token=False))
    wanted = browser.run('return document.querySelectorAll("a[href], summary, button, input").length')
    seen = set()
    for _ in range(wanted + 2):
        browser.press('\ue004')
        found = browser.run('const e = document.activeElement; return [e.tagName + e.textContent + '
                            '(e.href || ""), getComputedStyle(e).outlineStyle, '
                            'parseFloat(getComputedStyle(e).outlineWidth)]')
        if not found[0].startswith('BODY'):
            seen.add(found[0])
            true(found[1] == 'solid' and found[2] >= 2, 'outline: %s' % found)
    true(len(seen) >= 4, 'reached: %s' % seen)


@case('light and dark, letters stand out')
def colours():
    found = {}
    for name in ('browser', 'dark'):
        if name == 'dark':
            site['dark'] = Browser(dark=True)
        browser = site[name]
        browser.width(1280)
        browser.go(address(token=False))
        browser.picture('page-' + name)
        found[name] = browser.run(
            'const l = c => { const v = c.match(/[0-9.]+/g).slice(0, 3).map(x => { x /= 255; return '
            'x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4 }); '
            'return .2126 * v[0] + .7152 * v[1] + .0722 * v[2] };'
            'return ["body", "section h2", ".tiles span", "tbody th", "caption", "thead th", "header p", '
            '"footer", "a", "summary", "td.good, td.bad", "svg.chart text"].map(s => { '
            'const e = document.querySelector(s); const back = getComputedStyle(e.closest("section")'
            ' || document.body).backgroundColor; const a = l(getComputedStyle(e).color), b = l(back);'
            'return (Math.max(a, b) + .05) / (Math.min(a, b) + .05) })')
        true(min(found[name]) > 4.5, 'contrast %s: %s' % (name, found[name]))


@case('without the token there is nothing personal, and a way to give it')
def public():
    browser = site['browser']
    browser.go(address(token=False))
    text = browser.call('/source')
    for word in ('far.example', 'a@example.com', '203.0.113.9'):
        true(word not in text, word)
    equal(browser.find('form'), [], 'a search')
    true(browser.find('a[href="/login"]'), 'the link')


def sign_in(browser):
    """As who writes the token into what the browser asks: from then on it is sent by itself."""
    browser.go(address('/login'))
    browser.go(address(token=False))


@case('from a refusal to its trace, by a click; and by the search')
def trace():
    browser = site['browser']
    sign_in(browser)
    true('far.example' in browser.text('main'), 'the refusal')
    browser.picture('page-decisions')
    row = browser.find('table.rows a[href^="/search"]')[-1]
    browser.click(row)
    tap.until(lambda: '/search?q=' in browser.call('/url'), 10, 'the page of the session')
    text = browser.text('main')
    browser.picture('trace')
    for word in ('reject_unauth_destination', 'x@far.example', '203.0.113.9', 'client.example.com',
                 '550 5.7.1'):
        true(word in text, '%s in %s' % (word, text))
    field = browser.find('input[name=q]')[0]
    browser.call('/element/%s/clear' % field, {})
    browser.call('/element/%s/value' % field, {'text': 'x@far.example\ue007'})
    tap.until(lambda: 'q=x%40far.example' in browser.call('/url'), 10, 'the search')
    true('550 5.7.1' in browser.text('main'), 'what it found')
    equal(browser.complaints(), [], 'the console')


@case('what strangers send stays text')
def hostile():
    browser = site['browser']
    refuse(site['daemon'], '<"%s"@far.example>' % HOSTILE, HOSTILE, '<"%s"@a.example>' % HOSTILE)
    mta = Milter(site['daemon'].port)
    mta.negotiate()
    mta.connect(address='192.0.2.9')
    mta.helo()
    mta.mail(('<"%s"@lab.test>' % HOSTILE).encode())  # a key of a limit, too
    mta.rcpt()
    mta.message()
    mta.close()
    tap.until(lambda: browser.go(address(token=False)) or browser.run(
        'return [...document.querySelectorAll("tbody th")].some(e => e.textContent.includes("<script>"))'),
        20, 'the key near its limit')
    equal(browser.find('script, img'), [], 'elements of strangers')
    tap.until(lambda: browser.go(address(token=False)) or '<script>' in browser.text('main'), 15,
              'the refusal')
    rows = browser.find('table.rows a[href^="/search"]')
    browser.click(rows[0])
    time.sleep(0.5)
    equal(browser.find('script, img'), [], 'elements of strangers')
    text = browser.call('/source')
    true('\u202e' not in text and '<img' not in text, 'raw')
    equal(browser.complaints(), [], 'the console')


@case('all stop')
def ends():
    site['month'].stop()
    equal(site['web'].stop(), 0, 'exit of gatepost-web')
    equal(site['daemon'].stop(), 0, 'exit of the daemon')


def setup():
    daemon = gatepost.Gatepost()
    daemon.configure({'mynetworks': '192.0.2.0/24', 'dns_servers': '127.0.0.1:1', 'dnsbl_sites': 'bl.example.test', 'rule_files': '',
                      'client_restrictions': 'check_client_access inline:{192.0.2.200=REJECT}',
                      'history': 'sqlite:' + daemon.folder + '/run/history.db',
                      'recipient_restrictions': 'check_limit forms permit_mynetworks reject_dnsbl'},
                     FORMS)
    site['daemon'], site['web'] = daemon, webpage.Web(daemon, FORMS)
    daemon.start()
    site['web'].start()
    refuse(daemon)
    time.sleep(1.2)
    site['browser'] = Browser()


if __name__ == '__main__':
    if webpage.missing():
        tap.skip_all(webpage.missing())
    if chromium.missing():
        tap.skip_all(chromium.missing())
    tap.run(setup, teardown=lambda _: [site[name].stop() for name in
                                       ('browser', 'dark', 'month', 'web', 'daemon') if name in site])

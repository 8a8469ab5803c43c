# SPDX-License-Identifier: BSD-2-Clause
"""Debian's Chromium, driven by WebDriver."""
import base64
import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request

import place
import tap

ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'


def missing():
    """Why there is no browser here, or ''."""
    return '' if shutil.which('chromedriver') else 'no Chromium'


class Browser:
    """A session of chromedriver."""

    def __init__(self, dark=False):
        self.port = place.port()
        self.folder = place.folder()
        self.driver = subprocess.Popen(['chromedriver', '--port=%d' % self.port],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        self.base = 'http://127.0.0.1:%d/session' % self.port
        options = ['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars',
                   '--disable-dev-shm-usage', '--user-data-dir=' + self.folder]
        if dark:
            options.append('--blink-settings=preferredColorScheme=0')
        wanted = {'goog:chromeOptions': {'args': options},
                  'goog:loggingPrefs': {'browser': 'ALL'}}
        begun = tap.until(lambda: self.try_to_begin(wanted), 60, 'chromedriver', 0.5)
        self.base += '/' + begun['sessionId']

    def try_to_begin(self, wanted):
        try:
            return self.call('', {'capabilities': {'alwaysMatch': wanted}})
        except urllib.error.URLError:
            return None

    def call(self, path, data=None, method=None):
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(self.base + path, body, {'Content-Type': 'application/json'},
                                         method=method)
        with urllib.request.urlopen(request, timeout=90) as answer:
            return json.load(answer)['value']

    def go(self, url):
        self.call('/url', {'url': url})

    def find(self, selector):
        return [found[ELEMENT] for found in
                self.call('/elements', {'using': 'css selector', 'value': selector})]

    def text(self, selector='body'):
        return self.call('/element/%s/text' % self.find(selector)[0])

    def click(self, element):
        self.call('/element/%s/click' % element, {})

    def press(self, key):
        """A key as WebDriver writes it."""
        self.call('/actions', {'actions': [{'type': 'key', 'id': 'keys', 'actions': [
            {'type': 'keyDown', 'value': key}, {'type': 'keyUp', 'value': key}]}]})

    def run(self, script):
        return self.call('/execute/sync', {'script': script, 'args': []})

    def width(self, width, height=1400):
        self.call('/goog/cdp/execute', {'cmd': 'Emulation.setDeviceMetricsOverride', 'params': {
            'width': width, 'height': height, 'deviceScaleFactor': 1, 'mobile': width < 500}})

    def picture(self, name, height=None):
        """Of the whole page, or of its top; kept as SCREENSHOTS/NAME.png where that is a folder."""
        self.width(self.run('return innerWidth'),
                   height or self.run('return Math.ceil(document.body.getBoundingClientRect().height)'))
        shot = self.call('/goog/cdp/execute', {'cmd': 'Page.captureScreenshot', 'params': {}})['data']
        if os.environ.get('SCREENSHOTS'):
            with open(os.environ['SCREENSHOTS'] + '/' + name + '.png', 'wb') as handle:
                handle.write(base64.b64decode(shot))

    def complaints(self):
        """What the console says, but for that of a page that asks for a password, and of the browser's
        own pages."""
        return [row['message'] for row in self.call('/se/log', {'type': 'browser'})
                if '401' not in row['message'] and not row['message'].startswith('chrome://')]

    def stop(self):
        try:
            self.call('', method='DELETE')
        except (OSError, ValueError):
            pass
        self.driver.terminate()
        self.driver.wait()

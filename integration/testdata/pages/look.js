// SPDX-License-Identifier: Apache-2.0
//
// look.js opens pages in a browser, one after the other, and says what is wrong
// with them: node look.js CHROMIUM PAGE…
//
// A page must ask for nothing but itself, leave the console silent, fit a
// phone, pass axe-core in the light and in the dark, and print as PDF, which is
// left beside it for others to read.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import puppeteer from 'puppeteer-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// phone is a small one of today, in CSS pixels.
const phone = { width: 360, height: 740, isMobile: true, hasTouch: true };
const desk = { width: 1280, height: 900 };

// look returns what is wrong with a page.
async function look(browser, file) {
	const wrong = [];
	const page = await browser.newPage();
	const url = pathToFileURL(file).href;
	page.on('console', m => wrong.push(`console: ${m.text()}`));
	page.on('pageerror', e => wrong.push(`error: ${e.message}`));
	page.on('request', r => {
		if (r.url() !== url && !r.url().startsWith('data:')) wrong.push(`asks for ${r.url()}`);
	});
	for (const scheme of ['light', 'dark']) {
		for (const viewport of [desk, phone]) {
			await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
			await page.setViewport(viewport);
			await page.goto(url, { waitUntil: 'load' });
			wrong.push(...await examine(page, `${scheme}, ${viewport.width} pixels`));
		}
	}
	const { selected, shown } = await page.evaluate(select);
	if (shown < 200 || selected < shown * 0.9) wrong.push(`only ${selected} of ${shown} characters can be selected`);
	await page.pdf({ path: file.replace(/\.html$/, '.pdf'), format: 'A4' });
	await page.close();
	return wrong;
}

async function examine(page, how) {
	const wrong = [];
	const { wide, width } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, width: window.innerWidth }));
	if (wide > width) wrong.push(`${how}: ${wide} pixels wide`);
	await page.evaluate(axe);
	const found = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
	if (found.passes.length === 0) wrong.push(`${how}: axe examined nothing`);
	for (const v of found.violations) {
		wrong.push(`${how}: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(' | ')}`);
	}
	return wrong;
}

// select selects all of a page, as a reader would, and counts the characters.
function select() {
	const letters = text => text.replace(/\s/g, '').length;
	getSelection().selectAllChildren(document.body);
	return { selected: letters(getSelection().toString()), shown: letters(document.body.innerText) };
}

const [chromium, ...files] = process.argv.slice(2);
const browser = await puppeteer.launch({ executablePath: chromium, args: ['--no-sandbox'] });
let failed = files.length === 0;
try {
	for (const file of files) {
		for (const complaint of await look(browser, file)) {
			console.log(`${file}: ${complaint}`);
			failed = true;
		}
	}
} finally {
	await browser.close();
}
process.exitCode = failed ? 1 : 0;

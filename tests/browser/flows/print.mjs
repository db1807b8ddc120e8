// Mails on paper: what Chromium prints of the View and of the print view.
import fs from 'node:fs';
import path from 'node:path';
import { log_in } from '../people.mjs';

export default async function (t) {
  const { folder, html_mail: html, text_mail: text } = t.config;
  const print = (name) =>
    t.step(`print ${name}`, async () => {
      const bytes = await t.page.pdf({ format: 'A4', margin: { top: '15mm', bottom: '15mm', left: '15mm', right: '15mm' } });
      fs.writeFileSync(path.join(folder, `${name}.pdf`), bytes);
    });
  await log_in(t, 'anna');
  await t.theme('dark');
  for (const [name, number] of [['html', html], ['text', text]]) {
    await t.visit(`/documents/${number}?list=1`);
    await print(`view-${name}`);
    const tab = await t.tab(() => t.click({ role: 'link', name: 'Druckansicht' }));
    await t.until('the page is there', () => t.page.evaluate(() => document.readyState === 'complete'));
    for (const width of [1440, 360]) {
      await t.viewport(width);
      await t.shot(`print-${name}`);
    }
    await print(`page-${name}`);
    await tab.close();
    await t.viewport(1440);
  }
}

// Access links: Ctrl+C in the View tab and nowhere else, exactly as the maker made them.
import assert from 'node:assert/strict';
import { log_in } from '../people.mjs';

export default async function (t) {
  const base = 'https://archivistaimnetz.ch/perl/avclient/index.pl?target=new&go=';
  const { html_mail: mail, html_title: title, video } = t.config;
  const file = `viastockalperhd.mp4\n${base}${video}`;
  const link = `${mail}: ${title}\n${base}${mail}`;
  await log_in(t, 'anna');

  await t.step('the maker’s example, byte for byte');
  await t.visit(`/documents/${video}`);
  await t.copyElsewhere('before');
  await t.press('Control+C');
  assert.equal(await t.clipboard(), file);

  await t.step('after a click into the video');
  await t.copyElsewhere('before');
  await t.click('video');
  await t.press('Control+C');
  assert.equal(await t.clipboard(), file);

  await t.step('by the button');
  await t.copyElsewhere('before');
  await t.click({ role: 'button', name: 'Zugriffslink kopieren' });
  await t.shows('Kopiert.');
  assert.equal(await t.clipboard(), file);

  await t.step('a mail has no file name: number and title');
  await t.visit(`/documents/${mail}`);
  await t.copyElsewhere('before');
  await t.press('Control+C');
  assert.equal(await t.clipboard(), link);

  await t.step('after a click into the mail');
  await t.copyElsewhere('before');
  const frame = await t.frame('iframe');
  await frame.click('body');
  await t.press('Control+C');
  assert.equal(await t.clipboard(), link);

  await t.step('with a selection the browser copies as usual');
  await t.select('h1');
  await t.press('Control+C');
  assert.equal(await t.clipboard(), title);

  await t.step('with a selection within the mail too');
  await frame.select('body');
  await t.press('Control+C');
  assert.ok((await t.clipboard()).includes(t.config.html_words));

  for (const tab of ['fields', 'source', 'proof']) {
    await t.step(`not in the tab ${tab}`);
    await t.visit(`/documents/${mail}/${tab}`);
    await t.copyElsewhere('before');
    await t.click('h1');
    await t.press('Control+C');
    assert.equal(await t.clipboard(), 'before');
  }

  await t.step('after a PDF’s tab was closed');
  await t.visit(`/documents/${t.config.pdf}`);
  await t.copyElsewhere('before');
  const pdf = await t.tab(() => t.click({ role: 'link', name: 'PDF öffnen' }));
  await pdf.close();
  await t.press('Control+C');
  assert.equal(await t.clipboard(), `offerte-gross.pdf\n${base}${t.config.pdf}`);

  await t.step('several documents: one pair each, an empty line between');
  await t.visit('/?q=');
  const boxes = await t.all('tbody input[type=checkbox]');
  const rows = [];
  for (const box of boxes.slice(0, 3)) {
    await box.click();
    rows.push(await box.evaluate((one) => one.closest('tr').dataset.link));
  }
  await t.copyElsewhere('before');
  await t.click({ role: 'button', name: 'Zugriffslinks kopieren' });
  const several = await t.clipboard();
  assert.equal(several, rows.join('\n\n'));
  assert.match(several, new RegExp(`^[^\n]+\n${base.replace(/[.?]/g, '\\$&')}\\d+\n\n[^\n]+\nhttps`));

  await t.step('pasted into a note it can be clicked, and opens');
  const here = `${t.origin}/perl/avclient/index.pl?target=new&go=${video}`;
  await t.visit(`/documents/${mail}/fields`);
  await t.copyElsewhere(`viastockalperhd.mp4\n${here}`);
  await t.click({ role: 'textbox', name: 'Notiz' });
  await t.press('Control+V');
  await t.click({ role: 'button', name: 'Speichern' }, { leads: true });
  const pasted = await t.find(`a[href="${here}"]`);
  assert.ok(pasted);

  await t.step('a link asks for the login first and opens the document after it');
  await t.visit(`/documents/${mail}`);
  await t.click({ role: 'button', name: 'Abmelden' }, { leads: true });
  await t.visit(`/perl/avclient/index.pl?target=new&go=${video}`);
  await t.type('#user', 'anna');
  await t.type('#password', 'Ein ganzer Satz ist gut.');
  await t.click('form button.first', { leads: true });
  assert.equal(new URL(t.address).pathname, `/documents/${video}`);
  await t.find('video');
  await t.visit(`/go/${mail}`);
  assert.equal(new URL(t.address).pathname, `/documents/${mail}`);
}

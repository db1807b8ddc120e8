// The harness itself: everything that a flow can do, on pages that are in order.
import assert from 'node:assert/strict';

export default async function (t) {
  for (const [width, theme] of [[1440, 'light'], [360, 'dark']]) {
    await t.viewport(width);
    await t.theme(theme);
    await t.visit('/');
    await t.shows('Büro Zürich');
    await t.shows(theme === 'dark' ? 'dunkel' : 'hell', '#theme');
    await t.noSidewaysScroll();
    await t.axe();
    await t.shot('itself');
  }

  await t.type({ role: 'textbox', name: 'Suche' }, 'Größe “42” 🎉');
  await t.choose('select', 'zwei');
  assert.equal(await t.value('select'), '2');
  await t.click({ role: 'button', name: 'Zeigen' });
  await t.shows('gesucht: Größe “42” 🎉', 'output');
  await t.lacks('#hidden');
  await t.press('/');
  await t.shows('gedrückt: /', 'output');

  // Without a selection the page decides what is copied; the bytes are exactly those.
  await t.copyElsewhere('before');
  await t.click('h1');
  await t.press('Control+C');
  assert.equal(await t.clipboard(), 'viastockalperhd.mp4\nhttps://archivistaimnetz.ch/perl/avclient/index.pl?target=new&go=8441');
  // With one, the browser.
  await t.select('h1');
  await t.press('Control+C');
  assert.equal(await t.clipboard(), 'Büro Zürich');
  // After a click into a frame without scripts, too.
  await t.copyElsewhere('before');
  const mail = await t.frame('iframe');
  await mail.shows('Guten Tag');
  await mail.click('p');
  await t.press('Control+C');
  assert.match(await t.clipboard(), /^viastockalperhd\.mp4\n/);

  const file = await t.download(() => t.click({ role: 'link', name: 'Herunterladen' }));
  assert.equal(file.name, 'Grösse.eml');
  assert.equal(file.bytes.toString(), 'Subject: x\r\n\r\n');

  const tab = await t.tab(() => t.click({ role: 'link', name: 'Neues Fenster' }));
  await t.shows('zweite Seite');
  await tab.close();
  await t.shows('Büro Zürich');
  await t.click({ role: 'link', name: 'Weiter' }, { leads: true });
  await t.shows('zweite Seite');
  await t.visit('/no-such-page', { status: 404 });
}

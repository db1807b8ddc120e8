// A mail and a film are uploaded, found, looked at, and their links copied: by key, by button, after a click into the mail.
import assert from 'node:assert/strict';

const PASSWORD = 'Ein ganzer Satz ist gut.';

export default async function (t) {
  await t.viewport(1440);
  await t.visit('/setup');
  await t.type({ role: 'textbox', name: 'Einrichtungscode' }, t.config.setup_code);
  await t.type({ role: 'textbox', name: 'Name des Archivs' }, 'Muster AG');
  await t.type({ role: 'textbox', name: 'Benutzername' }, 'anna');
  await t.type('#password', PASSWORD);
  await t.type('#again', PASSWORD);
  // Where this leads is another flow's matter.
  t.allow('request', /404 .*\/admin$/);
  t.allow('console', /status of 404 .*\/admin$/);
  await t.click({ role: 'button', name: 'Einrichten' });
  await t.shows('Abmelden');

  await t.step('two files come in');
  await t.visit('/upload');
  await t.axe();
  await t.upload('#files', ...t.config.files);
  await t.click({ role: 'button', name: 'Hochladen' }, { leads: true });
  await t.shows('2 Akten sind archiviert.');

  await t.step('the keys find the mail');
  await t.press('/');
  await t.type('#q', 'offerte');
  await t.press('Enter', { leads: true });
  assert.equal(await t.count('[data-row]'), 1);
  await t.press('ArrowDown');
  await t.press('Enter', { leads: true });
  await t.shows('Anna Meier', 'article');
  await t.shows('1 Bild aus dem Internet wurde nicht geladen.');
  const letter = `1: Letzte Offerte\n${t.origin}/perl/avclient/index.pl?target=new&go=1`;

  await t.step('Ctrl+C gives the link only with nothing selected, and only in the view');
  await t.copyElsewhere('before');
  await t.press('Control+C');
  assert.equal(await t.clipboard(), letter);
  await t.copyElsewhere('before');
  const mail = await t.frame('iframe');
  await mail.shows('Rich words');
  await mail.click('h1');
  await t.press('Control+C');
  assert.equal(await t.clipboard(), letter);
  await t.select('article h1');
  await t.press('Control+C');
  assert.equal(await t.clipboard(), 'Letzte Offerte');
  await t.copyElsewhere('before');
  await t.click({ role: 'button', name: 'Zugriffslink kopieren' });
  assert.equal(await t.clipboard(), letter);
  for (const [width, theme] of [[1440, 'light'], [360, 'dark']]) {
    await t.viewport(width);
    await t.theme(theme);
    await t.noSidewaysScroll();
    await t.axe();
    await t.shot('document');
  }
  for (const [name, tab] of [['Felder', 'fields'], ['Quelltext', 'source'], ['Nachweis', 'proof']]) {
    await t.click({ role: 'link', name }, { leads: true });
    await t.noSidewaysScroll();
    await t.axe();
    await t.shot(tab);
    await t.copyElsewhere('before');
    await t.press('Control+C');
    assert.equal(await t.clipboard(), 'before', `Ctrl+C on ${tab}`);
  }
  await t.viewport(1440);

  await t.step('several at a time, and the film');
  await t.visit('/?sort=number');
  for (const [width, theme] of [[360, 'light'], [1440, 'dark'], [1440, 'light']]) {
    await t.viewport(width);
    await t.theme(theme);
    await t.noSidewaysScroll();
    await t.axe();
    await t.shot('documents');
  }
  await t.click('tbody tr:nth-child(1) input');
  await t.click('tbody tr:nth-child(2) input', { modifiers: ['Shift'] });
  await t.click({ role: 'button', name: 'Zugriffslinks kopieren' });
  const film = `viastockalperhd.mp4\n${t.origin}/perl/avclient/index.pl?target=new&go=2`;
  assert.equal(await t.clipboard(), `${film}\n\n${letter}`);
  await t.visit('/go/2');
  await t.shows('viastockalperhd', 'article');
  await t.copyElsewhere('before');
  await t.click('video');
  await t.press('Control+C');
  assert.equal(await t.clipboard(), film);
}

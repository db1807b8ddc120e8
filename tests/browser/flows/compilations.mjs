// A compilation from the first tick in the table to what a visitor sees, on a wide screen and at 360 px, light and dark.
import assert from 'node:assert/strict';
import { log_in } from '../people.mjs';

const EACH = [[1440, 'light'], [360, 'dark']];

export default async function (t) {
  const look = async (name) => {
    for (const [width, theme] of EACH) {
      await t.viewport(width);
      await t.theme(theme);
      await t.noSidewaysScroll();
      await t.axe({ exclude: ['iframe'] });
      await t.shot(`compilations-${name}`, { whole: true });
    }
    await t.viewport(1440);
    await t.theme('light');
  };

  await t.step('the archive becomes public, and says what that means');
  await log_in(t, 'anna', '/admin/archive');
  await t.choose('#publishing', 'other:Web');
  await t.click('input[name="is_public"]');
  await t.click('input[name="is_public_sure"]');
  await t.type('#admin_networks', '10.0.0.0/8');
  await t.click({ role: 'button', name: 'Speichern' }, { leads: true, status: 400 });
  await t.shows('Damit sperren Sie sich selbst aus');
  await look('networks');
  await t.type('#admin_networks', '127.0.0.0/8, ::1');
  await t.click({ role: 'button', name: 'Speichern' }, { leads: true });
  await t.shows('Gespeichert.');

  await t.step('none yet');
  await t.click({ role: 'link', name: 'Zusammenstellungen' }, { leads: true });
  await look('none');

  await t.step('documents are chosen, published and compiled');
  const choose = async (action, ...titles) => {
    await t.visit('/');
    for (const title of titles) {
      const rows = await t.all('tbody tr');
      for (const row of rows) {
        if ((await row.evaluate((one) => one.innerText)).includes(title)) await (await row.$('input[name="number"]')).click();
      }
    }
    await t.click({ role: 'button', name: action }, { leads: true });
  };
  await choose('Publizieren', 'prospekt', 'lageplan', 'Einladung');
  await t.shows('Mails publizieren?');
  await look('mails');
  await t.click({ role: 'button', name: 'Ja, auch diese Mails publizieren' }, { leads: true });
  await choose('Zusammenstellen', 'prospekt', 'lageplan', 'intern', 'Einladung');
  await t.shows('nicht öffentlich');
  // A phone's width loads the page anew, and forgets what was typed.
  await look('new');
  await t.type('#title', 'Frühlingsbrief 2026');
  await t.type('#introduction', 'Liebe Kundinnen und Kunden\nMehr unter https://example.ch/fruehling');
  await t.type('#name', 'Frühling 2026');
  await t.click({ role: 'button', name: 'Zusammenstellung erstellen' }, { leads: true, status: 400 });
  await t.shows('Nur Kleinbuchstaben');
  await t.type('#name', 'fruehlingsbrief-2026');
  await t.click({ role: 'button', name: 'Zusammenstellung erstellen' }, { leads: true });
  assert.match(await t.value('#access-link'), /^Frühlingsbrief 2026\nhttps:.*\/c\/fruehlingsbrief-2026$/);

  await t.step('its order is changed, its page published');
  const order = async (target) => Promise.all((await t.all(target)).map((one) => one.evaluate((link) => link.innerText.trim())));
  const first = (await order('ol.compiled li a'))[1];
  await (await t.all('button[name="up"]:not(:disabled)'))[0].click();
  await t.until('it moved up', async () => (await order('ol.compiled li a'))[0] === first);
  await t.click({ role: 'button', name: 'Veröffentlichen' }, { leads: true });
  await t.shows('Die Seite ist veröffentlicht.');
  await look('manage');
  await t.visit('/compilations');
  await look('list');

  await t.step('a visitor sees what is published, and no more');
  await t.visit('/');
  await t.click({ role: 'button', name: 'Abmelden' }, { leads: true });
  await t.visit('/c/fruehlingsbrief-2026');
  const listed = await order('ol.compiled li a');
  // A mail needs one word more of the administration.
  assert.deepEqual([...listed].sort(), ['lageplan', 'prospekt']);
  await t.shows('Liebe Kundinnen und Kunden');
  await look('public');
  await t.click({ role: 'link', name: 'prospekt' }, { leads: true });
  await t.shows('prospekt', 'h1');
  await t.lacks({ role: 'link', name: 'Felder' });
  await look('public-document');
  await t.visit('/c/fruehling', { status: 404 });
  await look('public-none');
}

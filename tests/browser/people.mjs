// Who logs in, in flows.
export const PASSWORD = 'Ein ganzer Satz ist gut.';

// Has the recovery sheet shown, and confirms it, as whoever administers.
export async function confirm_sheet(t, password = PASSWORD) {
  await t.visit('/admin/recovery-sheet');
  await t.type('#password', password);
  await t.click('form button.first', { leads: true });
  const words = await t.page.$$eval('ol.words li', (items) => items.map((item) => item.textContent));
  await t.visit('/admin/recovery-sheet/confirm');
  const fields = await t.page.$$eval('main label', (labels) => labels.map((label) => [label.htmlFor, label.textContent]));
  for (const [id, label] of fields) await t.type(`#${id}`, words[Number(label.match(/\d+/)[0]) - 1]);
  await t.click('form button.first', { leads: true });
}

export async function log_in(t, name, next = '/') {
  await t.visit(`/login?next=${encodeURIComponent(next)}`);
  await t.type('#user', name);
  await t.type('#password', PASSWORD);
  await t.click('form button.first', { leads: true });
  await t.shows(name, 'header');
}

// Who logs in, in flows.
export const PASSWORD = 'Ein ganzer Satz ist gut.';

export async function log_in(t, name, next = '/') {
  await t.visit(`/login?next=${encodeURIComponent(next)}`);
  await t.type('#user', name);
  await t.type('#password', PASSWORD);
  await t.click('form button.first', { leads: true });
  await t.shows(name, 'header');
}

// A person makes a token with real clicks, and revokes it; every page at two widths, light and dark.
const EACH = [[1440, 'light'], [360, 'dark'], [360, 'light']];

export default async function (t) {
  const { user, password } = t.config;
  const fits = async (name) => {
    for (const [width, theme] of EACH) {
      await t.viewport(width);
      await t.theme(theme);
      await t.noSidewaysScroll();
      await t.axe();
      await t.shot(`tokens-${name}`, { whole: true });
    }
    await t.viewport(1440);
  };
  await t.visit('/login?next=/account');
  await t.type('#user', user);
  await t.type('#password', password);
  await t.click({ role: 'button', name: 'Log in' }, { leads: true });
  await t.click({ role: 'link', name: 'Tokens for programs' }, { leads: true });
  await fits('none');
  await t.type('#name', 'Buchhaltung');
  await t.click({ role: 'button', name: 'Make a token' }, { leads: true });
  await t.find('#token');
  await fits('made');
  await t.click({ role: 'link', name: 'Back' }, { leads: true });
  await fits('one');
  await t.visit('/admin/tokens');
  await fits('all');
  await t.click({ role: 'button', name: 'Revoke: Buchhaltung' }, { leads: true });
  await fits('revoked');
}

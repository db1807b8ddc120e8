// The pages about the box itself with real clicks, at two widths, light and dark, in both languages.
const EACH = [[1440, 'light'], [360, 'dark'], [360, 'light']];

export default async function (t) {
  const { user, password } = t.config;
  const look = async (where, name) => {
    for (const [width, theme] of EACH) {
      await t.viewport(width);
      await t.theme(theme);
      if (where) await t.visit(where);
      await t.noSidewaysScroll();
      await t.axe();
      await t.shot(`system-${name}`, { whole: true });
    }
    await t.viewport(1440);
  };
  await t.visit('/login?next=/admin/system');
  await t.type('#user', user);
  await t.type('#password', password);
  await t.click({ role: 'button', name: 'Anmelden' }, { leads: true });
  await look('/admin', 'alarms');
  await look('/admin/system', 'box');
  await look('/admin/system/log?word=eth0', 'log');
  await look('/admin/system/restart', 'restart');
  await look('/admin/system/network', 'network');

  await t.choose('#method_eth0', 'fest eingestellt');
  await t.type('#address_eth0', '192.168.1.255/24');
  await t.click({ role: 'button', name: 'Speichern' }, { leads: true, status: 400 });
  await look('', 'mistake');
}

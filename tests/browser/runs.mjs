// Runs of definitions, in flows in German.

// Asks for a run of a definition, and waits until it has ended.
export async function run(t, name) {
  const page = `/admin/sources/${encodeURIComponent(name)}`;
  await t.step('a run ends', async () => {
    await t.visit(page);
    await t.click({ role: 'button', name: `Jetzt archivieren: ${name}` }, { leads: true });
    await t.until('the run ends', async () => {
      await t.visit(page);
      // Half of a page that loads itself again says nothing.
      const text = await t.text();
      const goesOn = /Der Lauf beginnt, sobald|Es wird gerade archiviert/.test(text) || (await t.page.$$('progress')).length > 0;
      return text.includes('Letzter Lauf') && !goesOn;
    });
  });
}

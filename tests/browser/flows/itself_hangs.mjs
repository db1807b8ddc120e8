// The harness itself: a flow that never ends.
export default async function (t) {
  await t.visit('/');
  await t.step('wait for ever', () => new Promise(() => setInterval(() => {}, 1000)));
}

// What is shown in a page or in one of its frames, and what a person can do with it.
//
// A target is a CSS selector, or { role, name } as a screen reader tells it, such as { role: 'button', name: 'Log in' }; the
// name is matched whole. Every helper waits until the target is there and visible, for `PATIENCE` at most.

import assert from 'node:assert/strict';

export const PATIENCE = 10_000;
const PAUSE = 50;

export class View {
  constructor(flow, frame) {
    this.flow = flow;
    this.frameOf = frame;
  }

  get inner() {
    return this.frameOf();
  }

  // The first visible element that the target means.
  async find(target) {
    return this.flow.until(`${told(target)} is visible`, async () => (await this.all(target))[0]);
  }

  // All visible ones that there are now.
  async all(target) {
    const found = await this.inner.$$(selector(target));
    const visible = await Promise.all(found.map((one) => one.isVisible()));
    return found.filter((_, at) => visible[at]);
  }

  async count(target) {
    return (await this.all(target)).length;
  }

  // Clicks it with the mouse. `leads: true` waits for the page that follows, which has this `status`; `modifiers` are held, such as ['Control'].
  async click(target, { leads = false, status = 200, clicks = 1, button = 'left', modifiers = [] } = {}) {
    await this.flow.step(`click ${told(target)}`, async () => {
      const element = await this.find(target);
      await element.scrollIntoView();
      const { x, y } = await element.clickablePoint();
      const { keyboard, mouse } = this.flow.page;
      const act = async () => {
        for (const key of modifiers) await keyboard.down(key);
        await mouse.click(x, y, { count: clicks, button });
        for (const key of modifiers) await keyboard.up(key);
      };
      await (leads ? this.flow.leads(act, status) : act());
    });
  }

  // Clicks into a field and types over what is in it.
  async type(target, words) {
    await this.flow.step(`type into ${told(target)}`, async () => {
      const element = await this.find(target);
      await element.scrollIntoView();
      await element.click();
      await element.evaluate((field) => field.select?.());
      await this.flow.page.keyboard.type(words);
      const value = await element.evaluate((field) => field.value ?? field.textContent);
      assert.equal(value, words, `what stands in ${told(target)}`);
    });
  }

  // Chooses the option with this value or these words.
  async choose(target, option) {
    await this.flow.step(`choose ${option} in ${told(target)}`, async () => {
      const element = await this.find(target);
      const value = await element.evaluate((list, wanted) => {
        const found = [...list.options].find((one) => one.value === wanted || one.label.trim() === wanted);
        return found?.value;
      }, option);
      assert.notEqual(value, undefined, `${told(target)} offers ${option}`);
      await element.select(value);
    });
  }

  // Gives files to a field for files, which may be hidden behind its label.
  async upload(target, ...paths) {
    await this.flow.step(`upload into ${told(target)}`, async () => {
      const found = await this.flow.until(`${told(target)} is there`, () => this.inner.$(selector(target)));
      await found.uploadFile(...paths);
    });
  }

  // The words of it as they are shown.
  async text(target = 'body') {
    return (await this.find(target)).evaluate((element) => element.innerText);
  }

  async value(target) {
    return (await this.find(target)).evaluate((element) => element.value);
  }

  async attribute(target, name) {
    return (await this.find(target)).evaluate((element, key) => element.getAttribute(key), name);
  }

  // Waits until it shows these words or matches this pattern.
  async shows(words, target = 'body') {
    await this.flow.step(`${target === 'body' ? 'the page' : told(target)} shows ${words}`, () =>
      this.flow.until(`${told(target)} shows ${words}`, async () => {
        const text = await (await this.find(target)).evaluate((element) => element.innerText);
        return words instanceof RegExp ? words.test(text) : text.includes(words);
      }),
    );
  }

  // Waits until nothing of this is visible.
  async lacks(target) {
    await this.flow.step(`there is no ${told(target)}`, () =>
      this.flow.until(`no ${told(target)} is visible`, async () => (await this.count(target)) === 0),
    );
  }

  // Selects all words of it, as by dragging over them.
  async select(target) {
    await this.flow.step(`select the words of ${told(target)}`, async () => {
      await (await this.find(target)).evaluate((element) => getSelection().selectAllChildren(element));
    });
  }

  // The inside of a frame, such as a shown mail: a view with the same helpers.
  async frame(target) {
    const element = await this.find(target);
    const inside = await this.flow.until(`${told(target)} is loaded`, () => element.contentFrame());
    return new View(this.flow, () => inside);
  }
}

export function selector(target) {
  if (typeof target === 'string') return target;
  const { role, name } = target;
  assert.ok(role || name, 'a target is a selector or has a role and a name');
  return `aria/${name ? `[name="${name}"]` : ''}${role ? `[role="${role}"]` : ''}`;
}

export function told(target) {
  return typeof target === 'string' ? target : `${target.role ?? 'element'} “${target.name ?? ''}”`;
}

// Asks again and again until the answer is yes; tells in words what was waited for in vain.
export async function until(words, question, patience = PATIENCE) {
  const end = Date.now() + patience;
  for (;;) {
    let error;
    try {
      const answer = await question();
      if (answer) return answer;
    } catch (thrown) {
      // A page that is just being replaced has no elements to ask.
      error = thrown;
    }
    if (Date.now() > end) throw new Error(`in vain for ${patience / 1000} s: ${words}${error ? ` (${error.message})` : ''}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

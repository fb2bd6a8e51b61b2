// Small helpers: elements, messages, questions.

export const $ = id => document.getElementById(id);

/** An element with properties, dataset and children. Text is always text, never markup. */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('aria-') || name === 'role') {
      element.setAttribute(name, value);
    } else {
      element[name] = value;
    }
  }
  element.append(...children);
  return element;
}

/** A message in the corner; errors stay until they are closed. */
export function toast(title, detail = '', isError = false) {
  const close = el('button', { className: 'icon', title: 'Close', onclick: () => box.remove(), 'aria-label': 'Close message' }, '✕');
  const box = el('div', { className: isError ? 'toast error' : 'toast' },
    el('div', { className: 'grow' }, el('p', {}, title), ...(detail ? [el('p', {}, detail)] : [])), close);
  $('toasts').append(box);
  if (!isError) {
    setTimeout(() => box.remove(), 5000);
  }
}

/** Tells an error with its meaning and its remedy. */
export function tell(error) {
  if (error?.title) {
    toast(error.title, [error.detail, error.remedy].filter(Boolean).join(' '), true);
  } else {
    console.error(error);
    toast('Something in this page failed.', String(error?.message ?? error), true);
  }
}

/** Asks; resolves to the value of the chosen button, or null. `choices`: [value, label, class]. With `input`, to the text for 'ok'. */
export function ask(title, text, choices, input) {
  return new Promise(resolve => {
    const field = input === undefined ? null : el('input', { type: 'text', value: input, spellcheck: false, 'aria-label': title });
    const done = value => {
      dialog.close();
      dialog.remove();
      resolve(value === 'ok' && field ? field.value : value);
    };
    const heading = el('h2', { id: 'dialog-title' }, title);
    const dialog = el('dialog', { 'aria-labelledby': 'dialog-title', oncancel: e => { e.preventDefault(); done(null); } },
      heading, ...(text ? [el('p', {}, text)] : []), ...(field ? [field] : []),
      el('div', { className: 'buttons' }, ...choices.map(([value, label, style]) =>
        el('button', { className: style ?? '', onclick: () => done(value) }, label))));
    field?.addEventListener('keydown', e => {
      if (e.key === 'Enter') {
        e.preventDefault();
        done('ok');
      }
    });
    document.body.append(dialog);
    dialog.showModal();
    if (field) {
      field.focus();
      const dot = input.lastIndexOf('.');
      field.setSelectionRange(input.lastIndexOf('/') + 1, dot > input.lastIndexOf('/') + 1 ? dot : input.length);
    }
  });
}

export const askText = (title, text, value, label) => ask(title, text, [[null, 'Cancel'], ['ok', label, 'primary']], value);

export const sizeText = n => n < 1024 ? `${n} B` : n < 1048576 ? `${(n / 1024).toFixed(1)} KiB` : n < 1073741824
  ? `${(n / 1048576).toFixed(1)} MiB` : `${(n / 1073741824).toFixed(2)} GiB`;

export const parentOf = path => path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
export const nameOf = path => path.slice(path.lastIndexOf('/') + 1);
export const join = (folder, name) => folder ? `${folder}/${name}` : name;

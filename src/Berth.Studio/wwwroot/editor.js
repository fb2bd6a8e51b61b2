// The editor: one textarea a document (it keeps its own undo history), line numbers beside it, tabs above.
import * as api from './api.js';
import { $, ask, el, nameOf, sizeText, tell, toast } from './dom.js';

const MAX_BYTES = 5 * 1024 * 1024;

export class Editor extends EventTarget {
  #open = new Map();
  #active = null;
  #canWrite;

  constructor(canWrite) {
    super();
    this.#canWrite = canWrite;
    addEventListener('beforeunload', e => {
      if ([...this.#open.values()].some(d => d.dirty)) {
        e.preventDefault();
      }
    });
    $('find-text').addEventListener('input', () => this.#find(0));
    $('find-text').addEventListener('keydown', e => {
      if (e.key === 'Enter') {
        this.#find(e.shiftKey ? -1 : 1);
      } else if (e.key === 'Escape') {
        this.hideFind();
      }
    });
    $('find-next').onclick = () => this.#find(1);
    $('find-previous').onclick = () => this.#find(-1);
    $('find-close').onclick = () => this.hideFind();
  }

  /** Opens a file, or shows it when it is open. */
  async open(path) {
    if (this.#open.has(path)) {
      this.#activate(this.#open.get(path));
      return;
    }
    const entry = await api.stat(path);
    if (entry.type === 'file' && entry.size > MAX_BYTES) {
      toast(`${path} is too large for the editor (${sizeText(entry.size)}).`, 'Download it, or use an editor in the terminal.', true);
      return;
    }
    const content = await this.#load(path);
    if (content && !this.#open.has(path)) {
      this.#add(path, content);
    }
  }

  /** What was renamed or deleted elsewhere in the page. */
  moved(from, to) {
    for (const doc of [...this.#open.values()]) {
      if (doc.path === from || doc.path.startsWith(from + '/')) {
        this.#open.delete(doc.path);
        doc.path = to + doc.path.slice(from.length);
        this.#open.set(doc.path, doc);
        this.#label(doc);
      }
    }
  }

  deleted(path) {
    for (const doc of [...this.#open.values()]) {
      if (doc.path === path || doc.path.startsWith(path + '/')) {
        this.#remove(doc);
      }
    }
  }

  /** Saves the active document. */
  async save() {
    const doc = this.#active;
    if (!doc || doc.readOnly || doc.saving) {
      return;
    }
    doc.saving = true;
    try {
      await this.#write(doc, doc.etag);
    } catch (error) {
      if (error.status === 412) {
        await this.#resolve(doc, error);
      } else {
        tell(error);
      }
    } finally {
      doc.saving = false;
    }
  }

  showFind() {
    if (this.#active) {
      $('find').hidden = false;
      const { area } = this.#active;
      const selection = area.value.slice(area.selectionStart, area.selectionEnd);
      if (selection && !selection.includes('\n')) {
        $('find-text').value = selection;
      }
      $('find-text').select();
      $('find-text').focus();
    }
  }

  hideFind() {
    $('find').hidden = true;
    this.#active?.area.focus();
  }

  /** The text of a file, with what a textarea would lose: the byte order mark and the line ends. Null when it is not text. */
  async #load(path) {
    const { bytes, etag } = await api.read(path);
    let text;
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      text = '\0';
    }
    if (text.includes('\0')) {
      toast(`${path} is not text in UTF-8.`, 'It was not opened, so that saving cannot damage it. Download it, or use the terminal.', true);
      return null;
    }
    const bom = text.startsWith('\ufeff');
    text = bom ? text.slice(1) : text;
    const crlf = (text.match(/\r\n/g) ?? []).length;
    const lone = (text.match(/\r(?!\n)/g) ?? []).length;
    const lf = (text.match(/\n/g) ?? []).length - crlf;
    const mixed = lone > 0 || (crlf > 0 && lf > 0);
    return { text: text.replaceAll('\r\n', '\n'), etag, bom, eol: crlf > 0 ? '\r\n' : '\n', mixed };
  }

  #add(path, content) {
    const area = el('textarea', {
      spellcheck: false, autocapitalize: 'off', autocomplete: 'off', wrap: 'off',
      'aria-label': `Text of ${path}. Escape, then Tab leaves the editor.`,
    });
    const gutter = el('pre', { className: 'gutter', 'aria-hidden': 'true' });
    const panel = el('div', { className: 'document', role: 'tabpanel' }, gutter, area);
    const label = el('button', { role: 'tab', className: 'label', onclick: () => this.#activate(doc) });
    const close = el('button', { className: 'close', title: 'Close', onclick: () => this.#close(doc) }, '✕');
    const tab = el('div', { className: 'tab', role: 'presentation' }, label, close);
    const doc = { path, area, gutter, panel, tab, label, close, lines: 0, dirty: false };
    this.#open.set(path, doc);
    this.#fill(doc, content);
    area.addEventListener('input', () => this.#changed(doc));
    area.addEventListener('scroll', () => { gutter.scrollTop = area.scrollTop; });
    area.addEventListener('keydown', e => this.#key(doc, e));
    area.addEventListener('keyup', () => this.#status());
    area.addEventListener('click', () => this.#status());
    label.addEventListener('keydown', e => {
      const all = [...this.#open.values()];
      const next = all[all.indexOf(doc) + { ArrowRight: 1, ArrowLeft: -1 }[e.key]];
      if (next) {
        this.#activate(next);
        next.label.focus();
      }
    });
    $('documents').append(panel);
    $('tabs').append(tab);
    this.#activate(doc);
  }

  #fill(doc, content) {
    Object.assign(doc, { etag: content.etag, bom: content.bom, eol: content.eol, mixed: content.mixed, saved: content.text });
    doc.area.value = content.text;
    doc.readOnly = !this.#canWrite || content.mixed;
    doc.area.readOnly = doc.readOnly;
    doc.area.setSelectionRange(0, 0);
    doc.indent = /^\t/m.test(content.text) ? '\t' : /^ {2}\S/m.test(content.text) ? '  ' : '    ';
    this.#changed(doc);
  }

  #changed(doc) {
    doc.dirty = doc.area.value !== doc.saved;
    const lines = doc.area.value.split('\n').length;
    if (lines !== doc.lines) {
      doc.lines = lines;
      doc.gutter.textContent = Array.from({ length: lines }, (_, i) => i + 1).join('\n') + '\n\n';
      doc.gutter.scrollTop = doc.area.scrollTop;
    }
    this.#label(doc);
    this.#status();
  }

  #label(doc) {
    doc.label.textContent = nameOf(doc.path);
    doc.tab.title = doc.path;
    doc.tab.classList.toggle('dirty', doc.dirty);
    doc.label.setAttribute('aria-label', nameOf(doc.path) + (doc.dirty ? ', not saved' : ''));
    doc.close.setAttribute('aria-label', `Close ${nameOf(doc.path)}`);
  }

  #activate(doc) {
    this.#active = doc;
    for (const other of this.#open.values()) {
      const active = other === doc;
      other.panel.hidden = !active;
      other.tab.classList.toggle('active', active);
      other.label.setAttribute('aria-selected', String(active));
      other.label.tabIndex = active ? 0 : -1;
    }
    $('welcome').hidden = doc !== null;
    doc?.area.focus();
    this.#status();
  }

  async #close(doc) {
    if (doc.dirty) {
      const choice = await ask(`Save ${nameOf(doc.path)}?`, 'It has changes that are not saved.',
        [[null, 'Cancel'], ['discard', 'Discard the changes', 'danger'], ['save', 'Save', 'primary']]);
      if (choice === 'save') {
        this.#activate(doc);
        await this.save();
      }
      if (choice === null || (choice === 'save' && doc.dirty)) {
        return;
      }
    }
    this.#remove(doc);
  }

  #remove(doc) {
    this.#open.delete(doc.path);
    doc.panel.remove();
    doc.tab.remove();
    if (this.#active === doc) {
      this.#activate([...this.#open.values()].at(-1) ?? null);
    }
  }

  async #write(doc, etag) {
    const text = doc.area.value;
    const body = (doc.bom ? '\ufeff' : '') + text.replaceAll('\n', doc.eol);
    const version = await api.write(doc.path, new TextEncoder().encode(body), etag);
    Object.assign(doc, { etag: version, saved: text });
    this.#changed(doc);
    this.dispatchEvent(new CustomEvent('saved', { detail: doc.path }));
    $('status').textContent = `${doc.path} saved`;
  }

  async #resolve(doc, error) {
    const gone = error.code === 'gone';
    const choice = await ask(error.title, `${error.detail} What do you want to keep?`, gone
      ? [[null, 'Decide later'], ['create', 'Save as a new file', 'primary']]
      : [[null, 'Decide later'], ['theirs', 'Load the other version', 'danger'], ['mine', 'Replace it by mine', 'danger']]);
    try {
      if (choice === 'theirs') {
        const content = await this.#load(doc.path);
        if (content) {
          this.#fill(doc, content);
        }
      } else if (choice) {
        await this.#write(doc, choice === 'create' ? null : '*');
      }
    } catch (second) {
      tell(second);
    }
  }

  #status() {
    const doc = this.#active;
    if (!doc) {
      $('status').textContent = '';
      return;
    }
    const before = doc.area.value.slice(0, doc.area.selectionStart);
    const line = before.split('\n').length;
    const column = before.length - before.lastIndexOf('\n');
    const why = doc.mixed ? ' · read-only: mixed line ends, which saving would change' : doc.readOnly ? ' · read-only' : '';
    $('status').textContent = `${doc.path} · line ${line}, column ${column} · ${doc.eol === '\n' ? 'LF' : 'CRLF'} · UTF-8`
      + `${doc.bom ? ' with BOM' : ''}${doc.dirty ? ' · not saved' : ''}${why}`;
  }

  /** Inserts as typing does, so that undo knows it. */
  #insert(area, text) {
    if (!document.execCommand('insertText', false, text)) {
      area.setRangeText(text, area.selectionStart, area.selectionEnd, 'end');
      area.dispatchEvent(new Event('input'));
    }
  }

  #key(doc, e) {
    const { area } = doc;
    if (e.key === 'Escape') {
      doc.leave = true;
      return;
    }
    if (e.key === 'Tab' && !doc.leave && !doc.readOnly && !e.ctrlKey && !e.altKey && !e.metaKey) {
      e.preventDefault();
      const start = area.value.lastIndexOf('\n', area.selectionStart - 1) + 1;
      const text = area.value.slice(start, area.selectionEnd);
      if (!e.shiftKey && !text.slice(area.selectionStart - start).includes('\n')) {
        this.#insert(area, doc.indent);
      } else {
        const pattern = new RegExp(`^(\\t| {1,${doc.indent === '\t' ? 4 : doc.indent.length}})`, 'gm');
        const changed = e.shiftKey ? text.replace(pattern, '') : text.replace(/^(?=.)/gm, doc.indent);
        area.setSelectionRange(start, area.selectionEnd);
        this.#insert(area, changed);
        area.setSelectionRange(start, start + changed.length);
      }
    } else if (e.key === 'Enter' && !e.isComposing && !doc.readOnly && !e.ctrlKey && !e.metaKey) {
      const start = area.value.lastIndexOf('\n', area.selectionStart - 1) + 1;
      const indent = /^[ \t]*/.exec(area.value.slice(start, area.selectionStart))[0];
      if (indent) {
        e.preventDefault();
        this.#insert(area, '\n' + indent);
      }
    }
    doc.leave = false;
  }

  /** Goes to the next (1), the previous (-1) or the nearest (0) match. */
  #find(direction) {
    const doc = this.#active;
    const needle = $('find-text').value.toLowerCase();
    if (!doc || !needle) {
      $('find-count').textContent = '';
      return;
    }
    const text = doc.area.value.toLowerCase();
    const found = [];
    for (let i = text.indexOf(needle); i >= 0 && found.length < 10000; i = text.indexOf(needle, i + needle.length)) {
      found.push(i);
    }
    if (found.length === 0) {
      $('find-count').textContent = 'no match';
      return;
    }
    const from = doc.area.selectionStart;
    let index = direction < 0 ? found.findLastIndex(i => i < from) : found.findIndex(i => direction > 0 ? i > from : i >= from);
    index = index >= 0 ? index : direction < 0 ? found.length - 1 : 0;
    $('find-count').textContent = `${index + 1} of ${found.length}`;
    doc.area.setSelectionRange(found[index], found[index] + needle.length);
    const line = text.slice(0, found[index]).split('\n').length;
    doc.area.scrollTop = Math.max(0, line * 20 - doc.area.clientHeight / 2);
    this.#status();
  }
}

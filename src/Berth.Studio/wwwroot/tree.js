// The file tree: loaded folder by folder, usable with the keyboard as WAI-ARIA's tree pattern says.
import * as api from './api.js';
import { $, el, sizeText, tell } from './dom.js';

export class Tree extends EventTarget {
  #root = $('tree');
  #expanded = new Set();
  #selected = null;

  constructor() {
    super();
    this.#root.addEventListener('keydown', e => this.#key(e));
    this.#root.addEventListener('click', e => this.#click(e));
  }

  /** The selected entry, or null. */
  get selected() {
    return this.#selected;
  }

  /** The folder that new things go to. */
  get folder() {
    const entry = this.#selected;
    return !entry ? '' : entry.isFolder ? entry.path : entry.path.includes('/') ? entry.path.slice(0, entry.path.lastIndexOf('/')) : '';
  }

  /** Loads what is shown again; what is open stays open. */
  async refresh() {
    const focused = document.activeElement?.closest?.('#tree li')?.dataset.path;
    try {
      const items = await this.#items('', 1);
      this.#root.replaceChildren(...items);
    } catch (error) {
      tell(error);
      return;
    }
    this.#mark();
    if (this.#selected && !this.#find(this.#selected.path)) {
      this.clear();
    }
    if (focused !== undefined) {
      this.#find(focused)?.focus();
    }
  }

  /** Opens the folders above and selects. */
  async reveal(path) {
    const names = path.split('/');
    for (let i = 1; i < names.length; i++) {
      this.#expanded.add(names.slice(0, i).join('/'));
    }
    await this.refresh();
    const item = this.#find(path);
    if (item) {
      this.#select(item);
      item.scrollIntoView({ block: 'nearest' });
    }
  }

  async #items(path, level) {
    const listing = await api.list(path);
    const entries = listing.entries.map(e => ({ ...e, isFolder: e.type === 'folder' || e.targetType === 'folder' }));
    entries.sort((a, b) => b.isFolder - a.isFolder || a.name.localeCompare(b.name, undefined, { numeric: true }));
    const items = await Promise.all(entries.map(e => this.#item(e, level)));
    if (listing.truncated) {
      items.push(el('li', { className: 'note' }, 'Only the first entries are shown; use the terminal for the rest.'));
    } else if (items.length === 0) {
      items.push(el('li', { className: 'note', role: 'none' }, level === 1 ? 'The workspace is empty.' : 'empty'));
    }
    return items;
  }

  async #item(entry, level) {
    const icon = entry.type === 'link' ? 'link' : entry.isFolder ? 'dir' : 'doc';
    const row = el('div', { className: 'row' },
      el('span', { className: 'twist', 'aria-hidden': 'true' }, ''), el('span', { className: `glyph ${icon}`, 'aria-hidden': 'true' }),
      el('span', { className: 'name' }, entry.name));
    row.style.paddingLeft = `${level * 14 - 6}px`;
    const item = el('li', { role: 'treeitem', tabIndex: -1, className: entry.isFolder ? 'folder' : '', 'aria-level': level, 'aria-selected': 'false' }, row);
    item.title = entry.isFolder ? entry.path : `${entry.path} · ${sizeText(entry.size)}${entry.target ? ` → ${entry.target}` : ''}`;
    item.dataset.path = entry.path;
    item.entry = entry;
    if (entry.isFolder) {
      await this.#setExpanded(item, this.#expanded.has(entry.path)).catch(() => { });
    }
    return item;
  }

  async #setExpanded(item, open) {
    const { path } = item.entry;
    item.querySelector(':scope > ul')?.remove();
    if (open) {
      const items = await this.#items(path, Number(item.getAttribute('aria-level')) + 1).catch(error => {
        this.#expanded.delete(path);
        throw error;
      });
      this.#expanded.add(path);
      item.append(el('ul', { role: 'group' }, ...items));
    } else {
      this.#expanded.delete(path);
    }
    item.setAttribute('aria-expanded', String(open));
    item.querySelector('.twist').textContent = open ? '▾' : '▸';
    this.#mark();
  }

  #select(item) {
    this.#selected = item.entry;
    this.#mark();
    item.focus();
    this.dispatchEvent(new Event('select'));
  }

  /** Shows the selection, and keeps exactly one item reachable with Tab. */
  #mark() {
    const items = [...this.#root.querySelectorAll('[role=treeitem]')];
    let current = null;
    for (const item of items) {
      const selected = item.dataset.path === this.#selected?.path;
      item.setAttribute('aria-selected', String(selected));
      item.tabIndex = -1;
      current = selected ? item : current;
    }
    (current ?? items[0] ?? this.#root).tabIndex = 0;
  }

  #find(path) {
    return this.#root.querySelector(`li[data-path="${CSS.escape(path)}"]`);
  }

  /** Forgets the selection, for example after its entry was deleted. */
  clear() {
    this.#selected = null;
    this.#mark();
    this.dispatchEvent(new Event('select'));
  }

  #activate(item) {
    if (item.entry.isFolder) {
      this.#setExpanded(item, item.getAttribute('aria-expanded') !== 'true').catch(tell);
    } else {
      this.dispatchEvent(new CustomEvent('open', { detail: item.entry }));
    }
  }

  #click(e) {
    const item = e.target.closest('li[role=treeitem]');
    if (item) {
      this.#select(item);
      this.#activate(item);
    }
  }

  #key(e) {
    const item = e.target.closest('li[role=treeitem]');
    if (!item || e.ctrlKey || e.altKey || e.metaKey) {
      return;
    }
    const visible = [...this.#root.querySelectorAll('li[role=treeitem]')];
    const at = visible.indexOf(item);
    const open = item.getAttribute('aria-expanded');
    const moves = {
      ArrowDown: () => visible[at + 1],
      ArrowUp: () => visible[at - 1],
      Home: () => visible[0],
      End: () => visible.at(-1),
      ArrowRight: () => open === 'false' ? this.#activate(item) : open === 'true' ? item.querySelector('li[role=treeitem]') : null,
      ArrowLeft: () => open === 'true' ? this.#activate(item) : item.parentElement.closest('li[role=treeitem]'),
    };
    if (moves[e.key]) {
      e.preventDefault();
      const target = moves[e.key]();
      if (target) {
        this.#select(target);
      }
    } else if (e.key === 'Enter' || e.key === ' ') {
      e.preventDefault();
      this.#select(item);
      this.#activate(item);
    } else if (e.key === 'F2' || e.key === 'Delete') {
      e.preventDefault();
      this.#select(item);
      this.dispatchEvent(new Event(e.key === 'F2' ? 'rename' : 'delete'));
    }
  }
}

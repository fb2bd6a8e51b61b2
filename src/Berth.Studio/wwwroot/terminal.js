// Terminals: xterm.js on one side, a WebSocket to the program on the other. A connection that breaks comes back to the same terminal.
import { Terminal } from './vendor/xterm/xterm.mjs';
import { FitAddon } from './vendor/xterm/addon-fit.mjs';
import { whoami } from './api.js';
import { $, el, toast } from './dom.js';

// By address: workspaces that are folders of one origin share its storage, and have terminals of their own.
const STORE = 'studio-terminals' + new URL('.', document.baseURI).pathname.replace(/\/$/, '');

// xterm.js writes style elements of its own; the page's policy takes only those that carry its nonce.
const nonce = document.querySelector('meta[name=style-nonce]').content;
const create = document.createElement.bind(document);
document.createElement = (name, options) => {
  const element = create(name, options);
  if (name === 'style') {
    element.nonce = nonce;
  }
  return element;
};

class Session {
  #socket = null;
  #attempts = 0;
  #unacknowledged = 0;
  #fit = new FitAddon();
  id;
  over = false;

  constructor(number, id, changed) {
    this.id = id;
    this.changed = changed;
    this.title = `Terminal ${number}`;
    this.note = el('div', { className: 'pane-note', role: 'status', hidden: true });
    this.pane = el('div', { className: 'pane', role: 'tabpanel', 'aria-label': this.title }, this.note);
    this.xterm = new Terminal({
      cursorBlink: true, fontSize: 13, scrollback: 5000, macOptionIsMeta: true, screenReaderMode: false,
      fontFamily: 'ui-monospace, "SFMono-Regular", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace',
      theme: { background: '#10141b', foreground: '#dfe6f0', cursor: '#6ea0ff' },
    });
    this.xterm.loadAddon(this.#fit);
    this.xterm.onData(text => this.#send(new TextEncoder().encode(text)));
    this.xterm.onBinary(text => this.#send(Uint8Array.from(text, c => c.charCodeAt(0))));
    this.xterm.onResize(({ cols, rows }) => this.#command({ type: 'resize', cols, rows }));
    this.xterm.onTitleChange(title => {
      this.title = title.slice(0, 40) || this.title;
      this.changed();
    });
  }

  /** Puts it on the page and connects. */
  start() {
    this.xterm.open(this.pane);
    this.fit();
    this.#connect();
  }

  fit() {
    if (this.pane.offsetParent && this.pane.clientHeight > 30) {
      this.#fit.fit();
    }
  }

  /** Ends the terminal and what runs in it. */
  close() {
    this.over = true;
    this.#command({ type: 'close' });
    this.#socket?.close(1000);
    this.xterm.dispose();
    this.pane.remove();
  }

  #connect() {
    const url = new URL('api/terminal', document.baseURI);
    url.protocol = url.protocol.replace('http', 'ws');
    url.search = new URLSearchParams({ cols: this.xterm.cols, rows: this.xterm.rows, ...(this.id ? { id: this.id } : {}) });
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    socket.onmessage = e => typeof e.data === 'string' ? this.#event(JSON.parse(e.data)) : this.#output(socket, new Uint8Array(e.data));
    socket.onclose = e => this.#closed(e);
  }

  #event(message) {
    if (message.type === 'ready') {
      this.id = message.id;
      this.#attempts = 0;
      this.#unacknowledged = 0;
      this.#say('');
      if (message.resumed) {
        this.xterm.reset();
      }
      this.changed();
    } else if (message.type === 'exit') {
      this.over = true;
      this.xterm.write(`\r\n\x1b[2m[ended with code ${message.code}; press + for a new terminal]\x1b[0m\r\n`);
      this.changed();
    } else if (message.type === 'error') {
      if (message.error.endsWith('no-such-terminal')) {
        // It ended while nobody was connected; the person wants a terminal, not the news.
        this.id = undefined;
        this.restart = true;
      } else {
        this.over = true;
        toast(message.title, message.remedy, true);
        this.#say(message.title);
      }
    }
  }

  #output(socket, bytes) {
    this.xterm.write(bytes, () => {
      this.#unacknowledged += bytes.length;
      if (this.#unacknowledged >= 16384 && socket === this.#socket) {
        this.#command({ type: 'ack', bytes: this.#unacknowledged });
        this.#unacknowledged = 0;
      }
    });
  }

  #closed(e) {
    if (this.over || e.target !== this.#socket) {
      return;
    }
    if (e.code === 4009) {
      this.over = true;
      this.#say('Opened in another window');
      return;
    }
    if (this.restart) {
      this.restart = false;
      this.#connect();
      return;
    }
    this.#attempts++;
    this.#say('Connection lost; trying again…');
    this.#explain(e.target);
    setTimeout(() => this.over || this.#connect(), Math.min(500 * 2 ** (this.#attempts - 1), 10000));
  }

  // A browser does not tell a page why a WebSocket ended or was refused; the answer to a request does.
  async #explain(socket) {
    const status = await whoami().then(() => 200, error => error.status);
    if (socket !== this.#socket && this.#socket?.readyState === WebSocket.OPEN) {
      return;
    }
    if (status === 401) {
      this.#say('You are signed out. What runs in the terminal goes on. ',
        el('a', { href: document.baseURI, target: '_blank', rel: 'noopener' }, 'Sign in again'), '; this page then goes on by itself.');
    } else if (status === 503) {
      this.#say('The workspace has stopped, or is starting again. ',
        el('a', { href: document.baseURI, target: '_blank', rel: 'noopener' }, 'See how it stands'), '.');
    } else if (status === 403 || status === 404) {
      this.#say('You may not use this workspace any more. Ask its owner.');
    }
  }

  #say(...parts) {
    this.note.replaceChildren(...parts.filter(Boolean));
    this.note.hidden = !this.note.hasChildNodes();
  }

  #send(data) {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(data);
    }
  }

  #command(command) {
    this.#send(JSON.stringify(command));
  }
}

export class Terminals {
  #sessions = [];
  #active = null;
  #count = 0;

  constructor() {
    $('terminal-new').onclick = () => this.add();
    $('terminal-toggle').onclick = () => this.toggle();
    new ResizeObserver(() => this.#active?.fit()).observe($('terminal-panes'));
    // Terminals outlive a reload of the page: their ids are kept for this tab.
    const ids = JSON.parse(sessionStorage.getItem(STORE) ?? '[]');
    for (const id of ids.length ? ids : [undefined]) {
      this.add(id, false);
    }
  }

  add(id, focus = true) {
    if ($('terminals').classList.contains('closed')) {
      this.toggle();
    }
    const session = new Session(++this.#count, id, () => this.#render());
    this.#sessions.push(session);
    $('terminal-panes').append(session.pane);
    this.#show(session);
    session.start();
    if (focus) {
      session.xterm.focus();
    }
  }

  toggle() {
    const closed = $('terminals').classList.toggle('closed');
    $('terminal-toggle').setAttribute('aria-expanded', String(!closed));
    $('terminal-toggle').textContent = closed ? '▴' : '▾';
    this.#active?.fit();
  }

  #show(session) {
    this.#active = session;
    this.#sessions.forEach(s => { s.pane.hidden = s !== session; });
    session?.fit();
    this.#render();
  }

  #close(session) {
    session.close();
    this.#sessions = this.#sessions.filter(s => s !== session);
    if (this.#active === session) {
      this.#show(this.#sessions.at(-1) ?? null);
    }
    this.#render();
  }

  #render() {
    sessionStorage.setItem(STORE, JSON.stringify(this.#sessions.filter(s => s.id && !s.over).map(s => s.id)));
    $('terminal-tabs').replaceChildren(...this.#sessions.map(session => {
      const active = session === this.#active;
      const label = el('button', {
        role: 'tab', className: 'label', 'aria-selected': String(active),
        onclick: () => { this.#show(session); session.xterm.focus(); },
      }, session.over ? `${session.title} (ended)` : session.title);
      const close = el('button', { className: 'close', 'aria-label': `Close ${session.title}`, onclick: () => this.#close(session) }, '✕');
      return el('div', { className: active ? 'tab active' : 'tab', role: 'presentation' }, label, close);
    }));
  }
}

// The page: puts the parts together.
import * as api from './api.js';
import { $, ask, askText, el, join, nameOf, parentOf, tell } from './dom.js';
import { Editor } from './editor.js';
import { Terminals } from './terminal.js';
import { Tree } from './tree.js';
import { acceptDrops, upload } from './upload.js';

/** Runs something that may fail, and tells it. */
const doing = action => () => action().catch(tell);

function showPerson(me) {
  const name = me.name ?? me.email ?? me.subject;
  document.title = me.workspace;
  $('workspace-name').textContent = me.workspace;
  $('person').replaceChildren(
    el('span', { className: 'role', title: 'Your role in this workspace' }, me.role),
    el('div', { className: 'who' }, el('div', { className: 'ellipsis' }, name), ...(me.email && me.name ? [el('div', { className: 'mail ellipsis' }, me.email)] : [])),
    el('span', { className: 'avatar', 'aria-hidden': 'true' }, name.slice(0, 1).toUpperCase()));
  $('person').title = [me.name, me.email, `role: ${me.role}`].filter(Boolean).join('\n');
}

function wireFiles(tree, editor, canWrite) {
  tree.addEventListener('open', e => editor.open(e.detail.path).catch(tell));
  tree.addEventListener('select', () => {
    const entry = tree.selected;
    $('selected').textContent = entry ? entry.path : 'Nothing selected';
    $('rename').disabled = $('delete').disabled = !entry || !canWrite;
    $('download').disabled = !entry || (entry.type === 'link' && !entry.targetType);
  });
  for (const id of ['new-file', 'new-folder', 'upload']) {
    $(id).disabled = !canWrite;
  }
  $('refresh').onclick = doing(() => tree.refresh());
  $('new-file').onclick = doing(async () => {
    const path = await askText('New file', 'Its path in the workspace:', join(tree.folder, 'untitled.txt'), 'Create');
    if (path) {
      await api.write(path, '', null, true);
      await tree.reveal(path);
      await editor.open(path);
    }
  });
  $('new-folder').onclick = doing(async () => {
    const path = await askText('New folder', 'Its path in the workspace:', join(tree.folder, 'folder'), 'Create');
    if (path) {
      await api.mkdir(path);
      await tree.reveal(path);
    }
  });
  $('rename').onclick = doing(async () => {
    const from = tree.selected.path;
    const to = await askText('Rename or move', `New path of ${from}:`, from, 'Rename');
    if (to && to !== from) {
      await api.rename(from, to);
      editor.moved(from, to);
      await tree.reveal(to);
    }
  });
  $('delete').onclick = doing(async () => {
    const { path, type } = tree.selected;
    const text = type === 'folder' ? 'The folder and everything in it will be gone. This cannot be undone.' : 'This cannot be undone.';
    if (await ask(`Delete ${nameOf(path)}?`, `${path}: ${text}`, [[null, 'Cancel'], ['yes', 'Delete', 'danger']]) === 'yes') {
      await api.remove(path, type === 'folder');
      editor.deleted(path);
      tree.clear();
      await tree.refresh();
    }
  });
  $('download').onclick = () => {
    const link = el('a', { href: api.downloadUrl(tree.selected.path, tree.selected.isFolder), download: '' });
    document.body.append(link);
    link.click();
    link.remove();
  };
  tree.addEventListener('rename', () => canWrite && $('rename').click());
  tree.addEventListener('delete', () => canWrite && $('delete').click());
  const done = () => tree.refresh();
  $('upload').onclick = () => $('upload-input').click();
  $('upload-input').onchange = e => {
    const items = [...e.target.files].map(file => ({ path: file.name, file }));
    upload(tree.folder, items, done).catch(tell);
    e.target.value = '';
  };
  if (canWrite) {
    acceptDrops(tree, done);
  }
  editor.addEventListener('saved', e => parentOf(e.detail) === tree.folder && tree.refresh());
}

function wireLayout(editor) {
  $('toggle-files').onclick = () => {
    const closed = $('files').classList.toggle('closed');
    $('toggle-files').setAttribute('aria-expanded', String(!closed));
  };
  if (matchMedia('(max-width: 760px)').matches) {
    $('toggle-files').click();
  }
  const setHeight = percent => {
    const value = Math.min(85, Math.max(10, percent));
    document.documentElement.style.setProperty('--terminal-height', `${value}%`);
    $('splitter').setAttribute('aria-valuenow', String(Math.round(value)));
    return value;
  };
  let height = setHeight(38);
  $('splitter').addEventListener('pointerdown', e => {
    e.preventDefault();
    $('splitter').setPointerCapture(e.pointerId);
  });
  $('splitter').addEventListener('pointermove', e => {
    if ($('splitter').hasPointerCapture(e.pointerId)) {
      const box = document.querySelector('main').getBoundingClientRect();
      height = setHeight(100 * (box.bottom - e.clientY) / box.height);
    }
  });
  $('splitter').addEventListener('keydown', e => {
    const step = { ArrowUp: 4, ArrowDown: -4 }[e.key];
    if (step) {
      e.preventDefault();
      height = setHeight(height + step);
    }
  });
  addEventListener('keydown', e => {
    if (!(e.ctrlKey || e.metaKey) || e.altKey || e.shiftKey || e.target.closest?.('#terminals')) {
      return;
    }
    if (e.key === 's') {
      e.preventDefault();
      editor.save();
    } else if (e.key === 'f' && e.target.closest('#editor')) {
      e.preventDefault();
      editor.showFind();
    }
  });
}

async function main() {
  const me = await api.whoami();
  showPerson(me);
  const editor = new Editor(me.canWrite);
  const tree = new Tree();
  wireFiles(tree, editor, me.canWrite);
  wireLayout(editor);
  await tree.refresh();
  if (me.canWrite) {
    new Terminals();
  } else {
    $('terminals').hidden = $('splitter').hidden = true;
  }
  addEventListener('focus', () => tree.refresh());
}

main().catch(tell);

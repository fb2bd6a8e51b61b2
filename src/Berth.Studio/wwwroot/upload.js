// Uploads: by the button and by drag and drop, folders too; one after the other, each streamed from the disk by the browser.
import * as api from './api.js';
import { $, ask, join, tell, toast } from './dom.js';

/** Sends files ({ path, file }) into a folder. */
export async function upload(folder, items, done) {
  let sent = 0;
  let answer = null;
  for (const [index, { path, file }] of items.entries()) {
    const target = join(folder, path);
    $('status').textContent = `Uploading ${index + 1} of ${items.length}: ${target}`;
    try {
      await api.write(target, file, null, true);
      sent++;
    } catch (error) {
      if (error.code !== 'exists') {
        tell(error);
        break;
      }
      answer = answer?.startsWith('all') ? answer : await ask(`${target} exists already`, 'Replace it by the file that you upload?', [
        [null, 'Stop'], ['skip', 'Keep the old one'], ['all-skip', 'Keep all old ones'],
        ['replace', 'Replace', 'danger'], ['all-replace', 'Replace all', 'danger']]);
      if (answer === null) {
        break;
      }
      if (answer.endsWith('replace')) {
        try {
          await api.write(target, file, '*');
          sent++;
        } catch (second) {
          tell(second);
          break;
        }
      }
    }
  }
  $('status').textContent = '';
  toast(`${sent} of ${items.length} uploaded`, folder ? `into ${folder}` : '');
  done();
}

/** All files of a drop, folders walked. */
async function filesOf(transfer) {
  const entries = [...transfer.items].filter(i => i.kind === 'file').map(i => i.webkitGetAsEntry?.() ?? i.getAsFile()).filter(Boolean);
  const found = [];
  const walk = async (entry, prefix) => {
    if (entry instanceof File) {
      found.push({ path: entry.name, file: entry });
    } else if (entry.isFile) {
      found.push({ path: prefix + entry.name, file: await new Promise((ok, no) => entry.file(ok, no)) });
    } else {
      const reader = entry.createReader();
      for (let part = [null]; part.length;) {
        part = await new Promise((ok, no) => reader.readEntries(ok, no));
        for (const child of part) {
          await walk(child, `${prefix}${entry.name}/`);
        }
      }
    }
  };
  for (const entry of entries) {
    await walk(entry, '');
  }
  return found;
}

/** Makes the file list a target for drops. */
export function acceptDrops(tree, done) {
  const area = $('files');
  const folderAt = target => {
    const item = target.closest?.('li[role=treeitem]');
    return !item ? '' : item.entry.isFolder ? item.entry.path : item.entry.path.split('/').slice(0, -1).join('/');
  };
  const hide = () => {
    area.classList.remove('drop');
    $('drop-hint').hidden = true;
  };
  // A file dropped beside the list must not replace the page.
  addEventListener('dragover', e => e.preventDefault());
  addEventListener('drop', e => e.preventDefault());
  area.addEventListener('dragover', e => {
    area.classList.add('drop');
    $('drop-target').textContent = folderAt(e.target) || 'the workspace';
    $('drop-hint').hidden = false;
  });
  area.addEventListener('dragleave', e => area.contains(e.relatedTarget) || hide());
  area.addEventListener('drop', e => {
    hide();
    const folder = folderAt(e.target);
    filesOf(e.dataTransfer).then(items => items.length && upload(folder, items, done)).catch(tell);
  });
}

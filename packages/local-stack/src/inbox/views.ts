import { toPrintable } from '../printable.ts';
import type { ReceivedCallback, ReceivedCallbacks } from './received-callbacks.ts';

const PREVIEW_CHARS = 200;

/** For curl: two lines a callback. */
export function renderText(inbox: ReceivedCallbacks): string {
  const entries = inbox.newestFirst.map((callback) => {
    const { time, status, name, duration, callId, type, size, signature, preview } = cellsOf(callback);
    const facts = [time, status, name, duration, callId, type, size, `signature: ${signature}`].join('  ');
    return preview === '' ? facts : `${facts}\n    ${preview}`;
  });
  return entries.length === 0 ? headline(inbox) : [headline(inbox), '', ...entries].join('\n');
}

/**
 * For a browser: a table that reloads itself.
 *
 * @param consoleUrl where call ids lead; undefined if the gateway serves no console
 */
export function renderHtml(inbox: ReceivedCallbacks, consoleUrl: string | undefined): string {
  const head = ['Time', 'Status', 'Function', 'Duration', 'Call id', 'Type', 'Size', 'Signature', 'Body'];
  const rows = inbox.newestFirst.map((callback) => `<tr>${toRow(callback, consoleUrl)}</tr>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="2">
<title>Callback inbox</title>
<style>
  :root { color-scheme: light dark }
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem }
  table { border-collapse: collapse; width: 100% }
  th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884; vertical-align: top }
  td { font: 13px/1.6 ui-monospace, monospace; overflow-wrap: anywhere }
</style>
</head>
<body>
<h1>Callback inbox</h1>
<p>${escapeHtml(headline(inbox))}</p>
<table>
<thead><tr>${head.map((name) => `<th>${name}</th>`).join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
</body>
</html>
`;
}

/** For programs. `body` is text, cut where `bodyTruncated` says so. */
export function renderJson(inbox: ReceivedCallbacks): string {
  const callbacks = inbox.newestFirst.map(({ head, ...rest }) => ({
    ...rest,
    body: head.toString('utf8'),
    bodyTruncated: head.length < rest.bytes,
  }));
  return JSON.stringify({ total: inbox.total, callbacks });
}

function headline(inbox: ReceivedCallbacks): string {
  if (inbox.total === 0) {
    return 'No callbacks yet.';
  }
  const kept = inbox.newestFirst.length;
  const shown = kept < inbox.total ? `, the last ${kept} shown` : '';
  return `${inbox.total} ${inbox.total === 1 ? 'callback' : 'callbacks'}${shown}, newest first`;
}

/** The columns of a callback in the table. */
function cellsOf(callback: ReceivedCallback) {
  return {
    time: callback.receivedAt,
    status: callback.functionStatus ?? '-',
    name: callback.functionName ?? '-',
    duration: callback.durationSeconds === undefined ? '-' : `${callback.durationSeconds} s`,
    callId: callback.callId ?? '-',
    type: callback.contentType ?? '-',
    size: `${callback.bytes} B`,
    signature: callback.signature,
    preview: previewOf(callback),
  };
}

function previewOf({ head, bytes }: ReceivedCallback): string {
  const preview = toPrintable(head.toString('utf8'), PREVIEW_CHARS);
  return head.length < bytes && !preview.endsWith('…') ? `${preview}…` : preview;
}

function toRow(callback: ReceivedCallback, consoleUrl: string | undefined): string {
  const cells = Object.entries(cellsOf(callback)).map(([name, text]) => {
    const shown = escapeHtml(text);
    const isCall = name === 'callId' && callback.callId !== undefined && consoleUrl !== undefined;
    return isCall ? `<a href="${escapeHtml(`${consoleUrl}/calls/${encodeURIComponent(text)}`)}">${shown}</a>` : shown;
  });
  return cells.map((cell) => `<td>${cell}</td>`).join('');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

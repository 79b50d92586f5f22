export interface ShownBody {
  readonly kind: 'empty' | 'text' | 'json' | 'binary';
  readonly text: string;
}

/** Bytes of a binary body that are shown. */
const mostHexBytes = 4_096;
const bytesOfLine = 16;

/** What a body looks like. The bytes decide, never the content type: a function may say anything of them. */
export function showBody(bytes: Uint8Array, isWhole: boolean): ShownBody {
  if (bytes.length === 0) {
    return { kind: 'empty', text: '' };
  }
  const text = decodeText(bytes, isWhole);
  if (text === undefined) {
    return { kind: 'binary', text: toHex(bytes.subarray(0, mostHexBytes)) };
  }
  return isWhole && isJson(text) ? { kind: 'json', text: indentJson(text) } : { kind: 'text', text };
}

/** Undefined if the bytes are not UTF-8, or have characters that are not printed. */
function decodeText(bytes: Uint8Array, isWhole: boolean): string | undefined {
  try {
    // The last character of a part may be cut.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: !isWhole });
    return /[\p{Cc}\uFFFE\uFFFF]/u.test(text.replace(/[\t\n\f\r]/g, '')) ? undefined : text;
  } catch {
    return undefined;
  }
}

function isJson(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) {
    return false;
  }
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const jsonToken = /"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g;

/**
 * Valid JSON with line breaks. The tokens stay as they are, which parsing and writing would not guarantee: long numbers
 * would lose digits, and names that come twice their first value.
 */
export function indentJson(text: string): string {
  let [out, depth, before] = ['', 0, ''];
  for (const [token] of text.matchAll(jsonToken)) {
    const opened = before === '{' || before === '[';
    const closes = token === '}' || token === ']';
    depth -= closes ? 1 : 0;
    if ((opened && !closes) || before === ',' || (closes && !opened)) {
      out += `\n${'  '.repeat(depth)}`;
    }
    out += token === ':' ? ': ' : token;
    depth += token === '{' || token === '[' ? 1 : 0;
    before = token;
  }
  return out;
}

/** `00000010  68 65 6c 6c 6f ...  hello`, as hexdump writes it. */
function toHex(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += bytesOfLine) {
    const line = [...bytes.subarray(at, at + bytesOfLine)];
    const hex = line.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = line.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(bytesOfLine * 3 - 1)}  ${text}`);
  }
  return lines.join('\n');
}

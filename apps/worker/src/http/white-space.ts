/** Removes spaces and tabs at both ends. `String.trim` would also remove characters above 127. */
export function trimSpaces(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) {
    start++;
  }
  while (end > start && isSpace(text.charCodeAt(end - 1))) {
    end--;
  }
  return text.slice(start, end);
}

export function isSpace(code: number): boolean {
  return code === 32 || code === 9;
}

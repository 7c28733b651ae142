/**
 * Paths between bytes and text.
 *
 * Inside, a path is a binary string. As text it is UTF-8 where the bytes are that, else the form in which git quotes
 * it: double quotes around, octal escapes for bytes, `"caf\351"`. A path that itself begins with a double quote is quoted
 * too, so that every text means one path.
 * @module
 */
import { decodeUtf8, encodeUtf8, fromLatin1, toLatin1 } from '../base/bytes.js'

const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
}
const UNESCAPES = new Map(Object.entries(ESCAPES).map(([char, escaped]) => [escaped.slice(1), char]))

/** @param path - Binary string. */
export function formatPath(path: string): string {
  const text = path.startsWith('"') ? undefined : decodeUtf8(fromLatin1(path))
  return text ?? quotePath(path)
}

/** The quoted form, for whatever bytes. */
export function quotePath(path: string): string {
  let quoted = '"'
  for (const char of path) {
    const code = char.charCodeAt(0)
    quoted += ESCAPES[char] ?? (code < 0x20 || code >= 0x7f ? `\\${code.toString(8).padStart(3, '0')}` : char)
  }
  return `${quoted}"`
}

/** The binary string of a path as people write it, quoted or not: slashes at its end, and `./` before it, are dropped. */
export function parsePath(text: string): string {
  return unformatPath(text)
    .replace(/^(?:\.\/+)+/, '')
    .replace(/^\.$|\/+$/, '')
}

/** The binary string that `formatPath` wrote. */
export function unformatPath(text: string): string {
  return unquote(text) ?? toLatin1(encodeUtf8(text))
}

function unquote(text: string): string | undefined {
  const inner = /^"((?:[^"\\]|\\.)*)"$/s.exec(text)?.[1]
  if (inner === undefined) return undefined
  let path = ''
  for (const [part, octal, char] of inner.matchAll(/\\([0-7]{3})|\\(.)|[^\\]+/gsu)) {
    if (octal !== undefined) path += String.fromCharCode(Number.parseInt(octal, 8) & 0xff)
    else if (char !== undefined) path += UNESCAPES.get(char) ?? char
    else path += toLatin1(encodeUtf8(part))
  }
  return path
}

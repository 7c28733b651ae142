/**
 * The text of a settings file: what it says, and how one setting in it is changed while every other byte stays.
 *
 * Files are ini, read by the package `ini`, whose ways are these: a section `[a.b]` is nested, `k[]` is a list, quoted
 * values are JSON, `;` and `#` begin comments, `true`, `false` and `null` are no texts. Here all that is flattened again
 * to texts by keys, `section.key`. Because the package would drop comments and order, changes are made line by line, and
 * what came of them is read again before it counts.
 * @module
 */
import ini from 'ini'

/** One setting as a file has it. A list where the file has `key[] =`. */
export type RawValue = string | readonly string[]

/**
 * All settings of a file by key, `user.name`, in the order of the file. Keys are as written.
 *
 * @returns undefined where the package cannot read the text.
 */
export function parseConfigText(text: string): Map<string, RawValue> | undefined {
  const found = new Map<string, RawValue>()
  try {
    flatten(ini.parse(text.replace(/^\uFEFF/, '')), '', found)
  } catch {
    // `ini` stumbles over keys in quotes that are JSON, and sections below a key that has a value.
    return undefined
  }
  return found
}

function flatten(section: object, prefix: string, found: Map<string, RawValue>): void {
  for (const [name, value] of Object.entries(section) as [string, unknown][]) {
    const key = prefix + name
    if (Array.isArray(value)) found.set(key, value.map(textOf))
    else if (isSection(value)) flatten(value, `${key}.`, found)
    else found.set(key, textOf(value))
  }
}

/** A section has no prototype, a value that is JSON in quotes has one. */
function isSection(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null
}

/** A value that `ini` took for JSON, as text again. */
function textOf(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** A line of a file, and the key it sets or the section it begins. */
interface Line {
  /** With its end. */
  readonly text: string
  readonly section: string
  /** Whole key in lower case; undefined for headers, comments and empty lines. */
  readonly key: string | undefined
}

function linesOf(text: string): Line[] {
  let section = ''
  return (text.match(/[^\n]*\n|[^\n]+$/g) ?? []).map((line) => {
    const bare = line.replace(/^\uFEFF/, '').replace(/[\r\n]+$/, '')
    if (/^\s*([;#]|$)/.test(bare)) return { text: line, section, key: undefined }
    const header = /^\[([^\]]*)\]\s*$/.exec(bare)
    if (header !== null) {
      section = String(ini.unsafe(header[1] ?? '')).toLowerCase()
      return { text: line, section, key: undefined }
    }
    const name = String(ini.unsafe(bare.split('=', 1)[0] ?? ''))
      .replace(/\[\]$/, '')
      .toLowerCase()
    return { text: line, section, key: section === '' ? name : `${section}.${name}` }
  })
}

/**
 * The text of a file with one setting put, in the place of the last line that set it, or taken out.
 *
 * @param key - `section.name`; keys are found whatever their case.
 * @param value - undefined takes the setting out.
 */
export function withSetting(text: string, key: string, value: string | undefined): string {
  const lines = linesOf(text)
  const wanted = key.toLowerCase()
  const last = lines.findLastIndex((line) => line.key === wanted)
  const kept = lines.filter((line, i) => line.key !== wanted || i === last)
  if (value === undefined) return joined(kept.filter((line) => line.key !== wanted))
  const dot = key.lastIndexOf('.')
  const end = text.includes('\r\n') ? '\r\n' : '\n'
  const at = kept.findIndex((line) => line.key === wanted)
  if (at >= 0) {
    // A key that stands before all sections keeps its whole name.
    const name = kept[at]?.section === '' ? key : key.slice(dot + 1)
    return joined(kept.with(at, { ...(kept[at] as Line), text: `${name} = ${formatValue(value)}${end}` }))
  }
  const section = key.slice(0, dot)
  const setting = { text: `${key.slice(dot + 1)} = ${formatValue(value)}${end}`, section, key }
  const inside = kept.findLastIndex((line) => line.section === section.toLowerCase() && line.text.trim() !== '')
  if (inside >= 0) return joined(kept.toSpliced(inside + 1, 0, setting), end)
  return joined([...kept, { text: `[${section}]${end}`, section, key: undefined }, setting], end)
}

/** The lines as one text; a line without an end that now stands before others gets one. */
function joined(lines: readonly Line[], end = '\n'): string {
  return lines.map(({ text }, i) => (i < lines.length - 1 && !text.endsWith('\n') ? text + end : text)).join('')
}

/** A value that reads as it is, or else in quotes. `ini` reads no line with U+2028 or U+2029 in it. */
function formatValue(value: string): string {
  if (/^[\p{L}\p{N}_.@+/-]([\p{L}\p{N}_.@+/ :<>,()-]*[\p{L}\p{N}_.@+/-])?$/u.test(value)) return value
  return JSON.stringify(value).replace(/[\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`)
}

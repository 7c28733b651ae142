/**
 * Small words of every formatter: numbers, sizes, times, ids and people.
 * @module
 */
import stringWidth from 'string-width'
import type { Person, VersionInfo } from '../repo/results.js'

/** Digits in groups of three: `1,234,567`. Fractions are not for this. */
export function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** A count with its noun: `1 file`, `2,000 files`. */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${grouped(n)} ${n === 1 ? noun : plural}`
}

/** A size in decimal units with three digits at most: `512 bytes`, `4.2 MB`. */
export function size(bytes: number): string {
  if (bytes < 1000) return count(bytes, 'byte')
  let unit = 0
  let n = bytes / 1000
  for (; n >= 999.5 && unit < 3; unit++) n /= 1000
  return `${n < 9.95 ? n.toFixed(1) : Math.round(n)} ${['kB', 'MB', 'GB', 'TB'][unit]}`
}

/** A duration: `0.04 s`, `1.3 s`, `2 min 5 s`. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${seconds.toFixed(2)} s`
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)} min ${whole % 60} s`
}

/** The first 12 digits of an id: enough to name it in most repositories, and what every command takes back. */
export function shortId(id: string): string {
  return id.slice(0, 12)
}

/** `2024-03-01T12:00:00+01:00` as people write it: `2024-03-01 12:00:00 +0100`, without parts of seconds. */
export function dateTime(iso: string): string {
  const parts = /^([+-]?\d+-\d\d-\d\d)T([\d:]+)(?:\.\d+)?(Z|[+-]\d\d:?\d\d)$/.exec(iso)
  return parts ? `${parts[1]} ${parts[2]} ${parts[3] === 'Z' ? '+0000' : parts[3]?.replace(':', '')}` : iso
}

/** `Name <email>`. */
export function person({ name, email }: Person): string {
  return name === '' ? `<${email}>` : `${name} <${email}>`
}

/** Whether author and committer are one person at one time, so that naming one is enough. */
export function sameHands({ author, committer }: Pick<VersionInfo, 'author' | 'committer'>): boolean {
  return author.name === committer.name && author.email === committer.email && author.time === committer.time
}

/** Every line of a text moved to the right; empty lines stay empty. */
export function indent(text: string, by = '    '): string {
  return text.replace(/^(?=.)/gm, by)
}

/** Rows as columns: all but the last padded to their widest cell, two spaces between. `right` lists columns of numbers. */
export function columns(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, widthOf(cell))
  }
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => {
        const width = widths[i] ?? 0
        const room = ' '.repeat(width - widthOf(cell))
        return right.includes(i) ? room + cell : i === row.length - 1 ? cell : cell + room
      })
      .join('  ')
  return rows.map((row) => `${line(row)}\n`).join('')
}

/** Length of a cell as it is seen: colours take no room. */
function widthOf(cell: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with an escape
  return cell.replace(/\x1b\[[0-9;]*m/g, '').length
}

/** Columns that a text takes on a terminal. Only what is not plainly Latin needs the tables, which cost 4 ms to load. */
export function cells(text: string): number {
  return /^[ -~\u00a1-\u00ac\u00ae-\u024f]*$/.test(text) ? text.length : stringWidth(text)
}

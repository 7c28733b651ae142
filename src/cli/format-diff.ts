/**
 * Differences in words: patches with colours, changes within lines, and how much changed in columns.
 * @module
 */
import { decodeUtf8Lossy } from '../base/bytes.js'
import type { FileDiff, WordHunk } from '../repo/results.js'
import { cells } from './format.js'
import { colourPatch } from './format-version.js'
import type { Style } from './style.js'

/** The patch of one file. For anything but a terminal it is the exact bytes, whatever their encoding. */
export function formatDiff(diff: FileDiff, style: Style): string | Uint8Array {
  const { patch, patchBase64, words } = diff
  const bytes = patchBase64 === undefined ? undefined : Buffer.from(patchBase64, 'base64')
  const text = patch ?? decodeUtf8Lossy(bytes ?? Buffer.alloc(0))
  if (words !== undefined) return formatWords(text, words, style)
  if (bytes !== undefined && !style.terminal) return bytes
  return colourPatch(style.safe(text), style)
}

/** Changes within lines: coloured, or marked as git does, `[-old-]{+new+}`. */
function formatWords(patch: string, hunks: readonly WordHunk[], style: Style): string {
  const { safe, red, green, cyan } = style
  const marked = red('x') === 'x'
  const paint = {
    same: safe,
    deleted: (text: string): string => (marked ? `[-${safe(text)}-]` : red(safe(text))),
    added: (text: string): string => (marked ? `{+${safe(text)}+}` : green(safe(text))),
  }
  const shown = hunks.map(({ oldStart, oldLines, newStart, newLines, lines }) => {
    const place = cyan(formatPlace({ oldStart, oldLines, newStart, newLines }))
    return `${place}\n${lines.map((line) => `${line.map(({ kind, text }) => paint[kind](text)).join('')}\n`).join('')}`
  })
  return colourPatch(safe(patchHead(patch)), style) + shown.join('')
}

/** What a patch of one file says before its hunks. */
export function patchHead(patch: string): string {
  return patch.slice(0, patch.indexOf('\n@@ ') + 1)
}

/** The line above a hunk: `@@ -1,3 +1,4 @@`. */
export function formatPlace(hunk: Omit<WordHunk, 'lines'>): string {
  const { oldStart, oldLines, newStart, newLines } = hunk
  return `@@ -${rangeOf(oldStart, oldLines)} +${rangeOf(newStart, newLines)} @@`
}

/** Lines of a side as a patch counts them: an empty range is named by the line before it. */
function rangeOf(start: number, lines: number): string {
  return `${lines === 0 ? start - 1 : start},${lines}`
}

/** Columns where nobody knows how many there are. */
const USUAL_WIDTH = 80

/** What a row of the table needs besides its name and its graph: a space, ` | `, a space, and one at the end. */
const FRAME = 6
const MIN_GRAPH = 6
const MIN_NAME = 10

/**
 * How much changed, as `git diff --stat` has it: a row for each file with a bar, and the sum.
 *
 * @param width - Columns of the terminal.
 * @see git, diff.c, `show_stats`: how name and bar share the room.
 */
export function formatDiffStat(diffs: readonly FileDiff[], style: Style, width = USUAL_WIDTH): string {
  if (diffs.length === 0) return ''
  const rows = diffs.map((diff) => ({ ...diff, name: style.safe(nameOf(diff)), changed: diff.added + diff.deleted }))
  const most = Math.max(...rows.map(({ binary, changed }) => (binary ? 0 : changed)))
  const digits = Math.max(String(most).length, rows.some(({ binary }) => binary) ? 3 : 0)
  const sizes = rows.filter(({ binary }) => binary).map((row) => sizesOf(row).length)
  const longest = Math.max(...rows.map(({ name }) => cells(name)))
  const { nameWidth, graphWidth } = shareRoom(width, longest, digits, most, Math.max(0, ...sizes))
  const lines = rows.map((row) => {
    const name = fitName(row.name, nameWidth)
    const start = ` ${name}${' '.repeat(Math.max(0, nameWidth - cells(name)))} |`
    if (row.binary) return `${start} ${'Bin'.padStart(digits)} ${sizesOf(row)}`.trimEnd()
    const [plus, minus] = bars(row.added, row.deleted, graphWidth, most)
    const bar = style.green('+'.repeat(plus)) + style.red('-'.repeat(minus))
    return `${start} ${String(row.changed).padStart(digits)}${bar === '' ? '' : ` ${bar}`}`
  })
  return `${lines.join('\n')}\n${summary(diffs)}`
}

function shareRoom(
  width: number,
  longest: number,
  digits: number,
  most: number,
  sizes: number,
): { nameWidth: number; graphWidth: number } {
  const room = Math.max(width, MIN_NAME + MIN_GRAPH + FRAME + digits)
  let graphWidth = Math.max(most, sizes)
  let nameWidth = longest
  if (nameWidth + digits + FRAME + graphWidth > room) {
    const share = Math.floor((room * 3) / 8) - digits - FRAME
    if (graphWidth > share) graphWidth = Math.max(MIN_GRAPH, share)
    if (nameWidth > room - digits - FRAME - graphWidth) nameWidth = room - digits - FRAME - graphWidth
    else graphWidth = room - digits - FRAME - nameWidth
  }
  return { nameWidth, graphWidth }
}

/** Lengths of the two bars. What changed at all is seen. */
function bars(added: number, deleted: number, width: number, most: number): [plus: number, minus: number] {
  if (most < width) return [added, deleted]
  const scaled = (n: number): number => (n === 0 ? 0 : 1 + Math.floor((n * (width - 1)) / most))
  const both = added > 0 && deleted > 0
  const total = Math.max(scaled(added + deleted), both ? 2 : 0)
  if (added < deleted) return [scaled(added), total - scaled(added)]
  return [total - scaled(deleted), scaled(deleted)]
}

function sizesOf({ oldSize = 0, size = 0 }: FileDiff): string {
  return oldSize === 0 && size === 0 ? '' : `${oldSize} -> ${size} bytes`
}

/** The path, or both with what they share written once: `src/{a => b}/c`. */
function nameOf({ path, from }: FileDiff): string {
  if (from === undefined) return path
  const [a, b] = [from.split('/'), path.split('/')]
  let head = 0
  while (head < Math.min(a.length, b.length) - 1 && a[head] === b[head]) head++
  let tail = 0
  while (tail < Math.min(a.length, b.length) - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++
  if (head === 0 && tail === 0) return `${from} => ${path}`
  const middle = (parts: readonly string[]): string => parts.slice(head, parts.length - tail).join('/')
  const around = [...a.slice(0, head), `{${middle(a)} => ${middle(b)}}`, ...a.slice(a.length - tail)]
  return around.join('/')
}

/** The end of a name that is too long, from a slash on where there is one. */
function fitName(name: string, width: number): string {
  if (cells(name) <= width) return name
  let end = name
  while (end !== '' && cells(end) > width - 3) end = end.slice(1)
  const slash = end.indexOf('/')
  return `...${slash < 0 ? end : end.slice(slash)}`
}

function summary(diffs: readonly FileDiff[]): string {
  const added = diffs.reduce((sum, diff) => sum + diff.added, 0)
  const deleted = diffs.reduce((sum, diff) => sum + diff.deleted, 0)
  // Without commas in numbers: other programs read this line.
  const parts = [`${diffs.length} ${diffs.length === 1 ? 'file' : 'files'} changed`]
  if (added > 0 || deleted === 0) parts.push(`${added} ${added === 1 ? 'insertion' : 'insertions'}(+)`)
  if (deleted > 0 || added === 0) parts.push(`${deleted} ${deleted === 1 ? 'deletion' : 'deletions'}(-)`)
  return ` ${parts.join(', ')}\n`
}

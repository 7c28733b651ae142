/**
 * Patches: changes of files as text that people read, and that `git apply` and `patch -p1` take.
 *
 * The hunks are those of our own diff, which never takes quadratic time, and the `diff` package writes them. The lines
 * before them are git's: a name that is not plain ASCII is quoted, whatever its bytes.
 *
 * A patch is text, so a file is only said to differ, as git says of binary files, where it is kept as chunks, or where a
 * line to be shown is not UTF-8 or has a NUL in it: a patch that would not give back the exact bytes is none.
 * @module
 */
import { diffContents, NO_LINES } from '../lines/edit.js'
import { countChanges } from '../lines/hunk.js'
import { LineInterner } from '../lines/intern.js'
import { type UnifiedHunk, unifiedHunks } from '../lines/unified.js'
import { type Change, type Place, sameContent, sameType } from './changes.js'
import { formatMode, kindOf } from './mode.js'
import { quotePath } from './path-text.js'

/** A change with the bytes before and after; undefined where they are kept as chunks. */
export interface ChangedContent extends Change {
  readonly old: Uint8Array | undefined
  readonly now: Uint8Array | undefined
}

/** Writes hunks as text. */
export type FormatHunks = (hunks: UnifiedHunk[]) => string

const NOTHING = new Uint8Array(0)

/** The writer of hunks; loaded when the first patch is made. */
export async function loadFormatter(): Promise<FormatHunks> {
  const { formatPatch, OMIT_HEADERS } = await import('diff')
  const names = { oldFileName: undefined, newFileName: undefined, oldHeader: undefined, newHeader: undefined }
  return (hunks) => formatPatch({ ...names, hunks }, OMIT_HEADERS)
}

/** A patch of one change. */
export interface Patch {
  readonly text: string
  /** Whether it only says that the contents differ. */
  readonly binary: boolean
}

/** The patch of one change. What became another kind of thing is deleted and added, as git has it. */
export function patchOf(change: ChangedContent, format: FormatHunks): Patch {
  const { before, after, old, now } = change
  if (before === undefined || after === undefined || sameType(before, after)) return filePatch(change, format)
  const deletion = filePatch({ before, after: undefined, old, now: NOTHING }, format)
  const addition = filePatch({ before: undefined, after, old: NOTHING, now }, format)
  return { text: deletion.text + addition.text, binary: deletion.binary || addition.binary }
}

function filePatch(change: ChangedContent, format: FormatHunks): Patch {
  const { before, after } = change
  const from = before?.path ?? after?.path ?? ''
  const to = after?.path ?? from
  const [a, b] = [quoted(`a/${from}`), quoted(`b/${to}`)]
  const { hunks, similarity } = hunksOf(change)
  const head = [`diff --git ${a} ${b}`, ...modeLines(before, after)]
  if (from !== to) {
    head.push(`similarity index ${similarity}%`, `rename from ${quoted(from)}`, `rename to ${quoted(to)}`)
  }
  const lines = `${head.join('\n')}\n`
  if (hunks?.length === 0) return { text: lines, binary: false }
  const [oldName, newName] = [before === undefined ? '/dev/null' : a, after === undefined ? '/dev/null' : b]
  if (hunks === undefined) return { text: `${lines}Binary files ${oldName} and ${newName} differ\n`, binary: true }
  return { text: `${lines}--- ${ended(oldName)}\n+++ ${ended(newName)}\n${format(hunks)}`, binary: false }
}

function modeLines(before: Place | undefined, after: Place | undefined): string[] {
  const old = before && formatMode(before.entry.mode)
  const now = after && formatMode(after.entry.mode)
  if (old === undefined) return now === undefined ? [] : [`new file mode ${now}`]
  if (now === undefined) return [`deleted file mode ${old}`]
  return old === now ? [] : [`old mode ${old}`, `new mode ${now}`]
}

/** The hunks of a change, undefined where they cannot be text, and how much of the content stayed, in percent. */
function hunksOf({ before, after, old, now }: ChangedContent): {
  hunks: UnifiedHunk[] | undefined
  similarity: number
} {
  if (before !== undefined && after !== undefined && sameContent(before, after)) return { hunks: [], similarity: 100 }
  if (old === undefined || now === undefined) return { hunks: undefined, similarity: 0 }
  const interner = new LineInterner()
  const was = diffContents(NO_LINES, shown(before, old), interner)
  const edit = diffContents(was, shown(after, now), interner)
  const lines = Math.max(was.tokens.length, edit.tokens.length)
  const kept = was.tokens.length - countChanges(edit.hunks).deleted
  return { hunks: unifiedHunks(was, edit, edit.hunks), similarity: Math.floor((kept * 100) / Math.max(lines, 1)) }
}

/** A submodule is shown as the commit it names. */
function shown(place: Place | undefined, content: Uint8Array): Uint8Array {
  if (place === undefined || kindOf(place.entry.mode) !== 'submodule') return content
  return Buffer.concat([Buffer.from('Subproject commit '), content, Buffer.from('\n')])
}

/** A path as git writes it in a patch. */
function quoted(path: string): string {
  return /^[ -!#-[\]-~]*$/.test(path) ? path : quotePath(path)
}

/** A name in a line that ends with it: a tab keeps `patch` from taking what follows a space for a time. */
function ended(name: string): string {
  return name.includes(' ') && !name.startsWith('"') ? `${name}\t` : name
}

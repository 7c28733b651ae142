/**
 * Patches: changes of files as text that people read, and that `git apply`, `patch -p1` and `weft apply` take.
 *
 * The hunks are those of our own diff, which never takes quadratic time, and the `diff` package writes them. The lines
 * before them are git's: a name that is not plain ASCII is quoted, whatever its bytes.
 *
 * A patch is bytes, here a binary string, since the lines in it are those of the files, in whatever encoding. A file is
 * only said to differ, as git says of binary files, where it is not text or where a line to be shown has a NUL in it: a
 * patch that would not give back the exact bytes is none.
 * @module
 */
import { fromLatin1, toLatin1 } from '../base/bytes.js'
import { sha1Hex } from '../crypto/sha1.js'
import { diffContents, NO_LINES } from '../lines/edit.js'
import { countChanges } from '../lines/hunk.js'
import { LineInterner } from '../lines/intern.js'
import { CONTEXT, type UnifiedHunk, unifiedHunks } from '../lines/unified.js'
import { type Side, sameContent, sameType } from './changes.js'
import { formatMode, kindOf } from './mode.js'
import { quotePath } from './path-text.js'

/** A change with the bytes before and after; undefined where they are not text. */
export interface ChangedContent {
  /** Undefined where a file was added. */
  readonly before: Side | undefined
  /** Undefined where a file was deleted. */
  readonly after: Side | undefined
  readonly old: Uint8Array | undefined
  readonly now: Uint8Array | undefined
}

/** Whether a patch of the change needs the contents: not to say that only a name or mode is another, but for a link's. */
export function needsContents({ before, after }: Pick<ChangedContent, 'before' | 'after'>): boolean {
  if (before === undefined || after === undefined || !sameContent(before, after) || !sameType(before, after))
    return true
  return kindOf(after.entry.mode) === 'symlink'
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
  /** Binary string. */
  readonly text: string
  /** Whether it only says that the contents differ. */
  readonly binary: boolean
  /** Lines put and lines taken away. */
  readonly added: number
  readonly deleted: number
}

/**
 * The patch of one change. What became another kind of thing is deleted and added, as git has it.
 *
 * @param context - Lines around a change.
 */
export function patchOf(change: ChangedContent, format: FormatHunks, context = CONTEXT): Patch {
  const { before, after, old, now } = change
  if (before === undefined || after === undefined || sameType(before, after)) return filePatch(change, format, context)
  const deletion = filePatch({ before, after: undefined, old, now: NOTHING }, format, context)
  const addition = filePatch({ before: undefined, after, old: NOTHING, now }, format, context)
  return {
    text: deletion.text + addition.text,
    binary: deletion.binary || addition.binary,
    added: addition.added,
    deleted: deletion.deleted,
  }
}

function filePatch(change: ChangedContent, format: FormatHunks, context: number): Patch {
  const { before, after } = change
  const from = before?.path ?? after?.path ?? ''
  const to = after?.path ?? from
  const { hunks, similarity, added, deleted } = hunksOf(change, context)
  const counts = { added, deleted }
  // Without the two lines of names before hunks, `patch` has to tell the names in the first line apart.
  const isBare = hunks?.length === 0
  const [a, b] = [quoted(`a/${from}`, isBare), quoted(`b/${to}`, isBare)]
  const head = [`diff --git ${a} ${b}`, ...modeLines(before, after)]
  if (from !== to) {
    head.push(`similarity index ${similarity}%`, `rename from ${quoted(from)}`, `rename to ${quoted(to)}`)
  }
  head.push(...idLine(change))
  const lines = `${head.join('\n')}\n`
  if (isBare) return { text: lines, binary: false, ...counts }
  const [oldName, newName] = [before === undefined ? '/dev/null' : a, after === undefined ? '/dev/null' : b]
  if (hunks === undefined) {
    return { text: `${lines}Binary files ${oldName} and ${newName} differ\n`, binary: true, ...counts }
  }
  const text = `${lines}--- ${ended(oldName)}\n+++ ${ended(newName)}\n${format(hunks)}`
  return { text, binary: false, ...counts }
}

/** Digits of an id in a patch. */
const ID_DIGITS = 12

/**
 * The line in which git names both contents, and the mode where it did not change. It tells `patch` of a link, and of a
 * file that was empty; `git apply --3way` finds the content a patch was made for by it.
 */
function idLine({ before, after, old, now }: ChangedContent): string[] {
  if (old === undefined || now === undefined) return []
  const isLink = kindOf((after ?? before)?.entry.mode ?? 0) === 'symlink'
  if (before && after && sameContent(before, after) && !isLink) return []
  const mode = before && after && formatMode(before.entry.mode) === formatMode(after.entry.mode)
  return [`index ${gitId(before, old)}..${gitId(after, now)}${mode ? ` ${formatMode(after.entry.mode)}` : ''}`]
}

/** The beginning of the id that git has for a content. */
function gitId(side: Side | undefined, content: Uint8Array): string {
  if (side === undefined) return '0'.repeat(ID_DIGITS)
  const isCommit = kindOf(side.entry.mode) === 'submodule'
  const id = isCommit ? toLatin1(content) : sha1Hex(fromLatin1(`blob ${content.length}\0`), content)
  return id.slice(0, ID_DIGITS)
}

function modeLines(before: Side | undefined, after: Side | undefined): string[] {
  const old = before && formatMode(before.entry.mode)
  const now = after && formatMode(after.entry.mode)
  if (old === undefined) return now === undefined ? [] : [`new file mode ${now}`]
  if (now === undefined) return [`deleted file mode ${old}`]
  return old === now ? [] : [`old mode ${old}`, `new mode ${now}`]
}

/** What `hunksOf` finds: no hunks where they cannot be text. */
interface Found {
  readonly hunks: UnifiedHunk[] | undefined
  /** How much of the content stayed, in percent. */
  readonly similarity: number
  readonly added: number
  readonly deleted: number
}

const UNTOLD: Found = { hunks: undefined, similarity: 0, added: 0, deleted: 0 }

function hunksOf({ before, after, old, now }: ChangedContent, context: number): Found {
  if (before !== undefined && after !== undefined && sameContent(before, after)) {
    return { hunks: [], similarity: 100, added: 0, deleted: 0 }
  }
  if (old === undefined || now === undefined) return UNTOLD
  const interner = new LineInterner()
  const was = diffContents(NO_LINES, shownContent(before, old), interner)
  const edit = diffContents(was, shownContent(after, now), interner)
  const hunks = unifiedHunks(was, edit, edit.hunks, context)
  if (hunks === undefined) return UNTOLD
  const lines = Math.max(was.tokens.length, edit.tokens.length)
  const { deleted, inserted: added } = countChanges(edit.hunks)
  const kept = was.tokens.length - deleted
  return { hunks, similarity: Math.floor((kept * 100) / Math.max(lines, 1)), added, deleted }
}

/** A content as a patch shows it: a submodule is the commit it names. */
export function shownContent(side: Side | undefined, content: Uint8Array): Uint8Array {
  if (side === undefined || kindOf(side.entry.mode) !== 'submodule') return content
  return Buffer.concat([fromLatin1('Subproject commit '), content, fromLatin1('\n')])
}

/**
 * A path as git writes it in a patch; but one with a space at its end, which `patch` would drop, is in quotes.
 *
 * @param spaces - Whether any space needs quotes.
 */
function quoted(path: string, spaces = false): string {
  return /^[ -!#-[\]-~]*$/.test(path) && !path.endsWith(' ') && !(spaces && path.includes(' ')) ? path : quotePath(path)
}

/** A name in a line that ends with it: a tab keeps `patch` from taking what follows a space for a time. */
function ended(name: string): string {
  return name.includes(' ') && !name.startsWith('"') ? `${name}\t` : name
}

/**
 * Bringing the work tree from the version it stands on to another one, with unsaved changes carried along.
 *
 * A change that was not committed is carried where both versions have the same at its path, or where it is what the other
 * version has. Everything else would be lost, and is refused before anything is touched.
 * @module
 */
import { equalBytes, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { kindOf } from '../repo/mode.js'
import { formatPath } from '../repo/path-text.js'
import { compareIndexes } from './compare-index.js'
import type { WorkIndex } from './index-file.js'
import { type FileMove, type FileTarget, storedContent } from './operation.js'
import type { Found, WorkChange } from './scan.js'
import type { Worktree } from './worktree.js'

/** What it takes. */
export interface TreeMove {
  readonly files: readonly FileMove[]
  /** Paths with unsaved changes that stay as they are: text, as results write them. */
  readonly carried: readonly string[]
}

/** Paths named in a message. */
const SHOWN = 5

export interface MoveOptions {
  /** Give up what would be lost; it is kept for undo. */
  readonly discard?: boolean | undefined
  /** Where the content at a path comes from; by default from the version that the index is of. */
  readonly source?: (path: string) => Pick<FileTarget, 'bytes' | 'stored'>
}

/**
 * Plans the way to another tree.
 *
 * @param to - Its index.
 * @throws {CodedError} `WOULD_LOSE`, naming the paths.
 */
export function planMove(work: Worktree, to: WorkIndex, { discard = false, source }: MoveOptions = {}): TreeMove {
  const base = to.base && toHex(to.base.id)
  const { changes } = work.scan()
  const unsaved = new Map(changes.map((change) => [change.path, change]))
  const files: FileMove[] = []
  const lost: string[] = []
  for (const { path, to: target } of compareIndexes(work.index, to)) {
    const change = unsaved.get(path)
    unsaved.delete(path)
    if (change !== undefined && isThere(change, target)) continue
    if (change !== undefined && !discard) lost.push(path)
    files.push({
      path,
      to: target && {
        mode: target.mode,
        sha256: toHex(target.sha256),
        ...(source?.(path) ?? (base && { stored: storedContent(target, base) })),
      },
    })
  }
  if (lost.length > 0) throw wouldLose(lost)
  return { files, carried: [...unsaved.keys()].map(formatPath) }
}

/** Whether the work tree has at a path already what it is to have. */
function isThere(
  { found }: WorkChange,
  target: (Pick<Found, 'mode'> & { readonly sha256: Uint8Array }) | undefined,
): boolean {
  if (found === undefined || target === undefined) return found === target
  return (
    found.sha256 !== undefined && equalBytes(found.sha256, target.sha256) && kindOf(found.mode) === kindOf(target.mode)
  )
}

function wouldLose(paths: readonly string[]): CodedError {
  const names = paths.map(formatPath)
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''
  return new CodedError(
    'WOULD_LOSE',
    `Unsaved changes would be overwritten: ${names.slice(0, SHOWN).join(', ')}${more}.`,
    {
      hint: 'Commit them, or put them aside with `weft shelve`. Nothing was changed.',
      data: { paths: names },
    },
  )
}

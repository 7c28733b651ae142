/**
 * What commands did to single files of the work tree, in words: `weft mv`, `rm`, `clean` and `restore`.
 * @module
 */
import type { CleanReport } from '../worktree/clean.js'
import type { MoveReport } from '../worktree/move.js'
import type { RemoveReport } from '../worktree/remove.js'
import type { RestorePathsReport } from '../worktree/restore-paths.js'
import { count, shortId } from './format.js'
import { failureLines } from './format-work.js'
import type { Style } from './style.js'

/** Paths listed one by one. */
const SHOWN = 10

const UNDO = 'weft undo brings it back.'

export function formatMove({ moved, files, failures }: MoveReport, { safe }: Style): string {
  const lines = moved.slice(0, SHOWN).map(({ from, to }) => `Moved ${safe(from)} to ${safe(to)}.`)
  if (moved.length > SHOWN) lines.push(`And ${moved.length - SHOWN} more.`)
  if (files > moved.length) lines.push(`${count(files, 'file')} in all.`)
  return text([...lines, ...failureLines(failures, safe)])
}

export function formatRemove({ removed, unsaved, failures }: RemoveReport, { safe }: Style): string {
  const lines = listed('Removed', removed, safe)
  if (removed.length === 0) lines.push('The files are gone already: the next version will not have them.')
  if (unsaved.length > 0) lines.push(`${unsavedOf(unsaved)}; ${UNDO}`)
  return text([...lines, ...failureLines(failures, safe)])
}

export function formatClean({ removed, left, dryRun, failures }: CleanReport, { safe }: Style): string {
  const lines = listed(dryRun ? 'Would remove' : 'Removed', removed, safe, dryRun ? Number.POSITIVE_INFINITY : SHOWN)
  if (removed.length === 0) lines.push('Nothing to remove.')
  if (left.length > 0) lines.push(...listed('Left alone', left, safe))
  if (removed.length > 0 && !dryRun) lines.push('weft undo brings everything back.')
  return text([...lines, ...failureLines(failures, safe)])
}

export function formatRestorePaths(report: RestorePathsReport, { safe }: Style): string {
  const { at, written, removed, unsaved, failures } = report
  const lines = [...listed(`Restored as of ${shortId(at)}`, written, safe), ...listed('Removed', removed, safe)]
  if (lines.length === 0) lines.push(`Nothing to do: the files are as ${shortId(at)} has them.`)
  if (unsaved.length > 0) lines.push(`${unsavedOf(unsaved)}; ${UNDO}`)
  return text([...lines, ...failureLines(failures, safe)])
}

function unsavedOf(unsaved: readonly string[]): string {
  return `${count(unsaved.length, 'file')} had changes that were never committed`
}

/** `Removed a, b and 3 more.`, or nothing where there is nothing. */
function listed(did: string, paths: readonly string[], safe: Style['safe'], most = SHOWN): string[] {
  const [only] = paths
  if (only === undefined) return []
  if (paths.length === 1) return [`${did}: ${safe(only)}`]
  const lines = [`${did}: ${count(paths.length, 'file')}`, ...paths.slice(0, most).map((path) => `  ${safe(path)}`)]
  if (paths.length > most) lines.push(`  and ${paths.length - most} more`)
  return lines
}

function text(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}

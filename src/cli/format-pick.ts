/**
 * Changes that are taken from one place to another, in words: `weft pick`, `revert`, `shelve` and `unshelve`.
 * @module
 */
import type { PickReport } from '../worktree/pick.js'
import type { ShelfInfo, ShelveReport, UnshelveReport } from '../worktree/shelve.js'
import { count, dateTime, shortId } from './format.js'
import { conflictLines } from './format-merge.js'
import { failureLines } from './format-work.js'
import type { Style } from './style.js'

export function formatPick(report: PickReport, style: Style): string {
  const { bold, safe } = style
  const { kind, branch, picked, skipped, conflicts, left, carried, failures } = report
  const lines = picked.map(({ version, from, subject }) => {
    const what = `${kind === 'pick' ? 'Picked' : 'Reverted'} ${shortId(from)}: ${safe(subject)}`
    if (version !== undefined)
      return `${bold(`${branch === undefined ? '' : `${safe(branch)} `}${shortId(version)}`)} ${what}`
    return conflicts.length > 0 ? what : `${what} (in the work tree, not committed)`
  })
  for (const id of skipped) lines.push(`${shortId(id)} changes nothing here.`)
  lines.push(...conflictLines(conflicts, style), ...carriedLines(carried, style), ...failureLines(failures, safe))
  if (conflicts.length > 0) {
    lines.push(`Resolve them with weft resolve, then weft commit. weft undo takes the ${kind} back.`)
    if (left.length > 0) lines.push(`Then go on: weft ${kind} ${left.map(shortId).join(' ')}`)
  } else if (picked.some(({ version }) => version === undefined)) lines.push('weft commit makes the version.')
  return `${lines.join('\n')}\n`
}

export function formatShelve({ shelf, changes, failures }: ShelveReport, { safe }: Style): string {
  const lines = [`Put aside ${count(changes.length, 'changed file')}: ${safe(shelf.message)}`]
  lines.push(...failureLines(failures, safe), 'weft unshelve brings it back.')
  return `${lines.join('\n')}\n`
}

export function formatShelf({ n, version, message, time }: ShelfInfo, { safe }: Style): string {
  return `${String(n).padStart(3)}  ${shortId(version)}  ${dateTime(time)}  ${safe(message)}\n`
}

export function formatDropped({ message }: ShelfInfo, { safe }: Style): string {
  return `Forgot what was put aside: ${safe(message)}\nweft undo brings it back.\n`
}

export function formatUnshelve(report: UnshelveReport, style: Style): string {
  const { safe } = style
  const { shelf, files, conflicts, carried, failures } = report
  const lines = [`Brought back: ${safe(shelf.message)} (${count(files, 'file')} changed)`]
  lines.push(...conflictLines(conflicts, style), ...carriedLines(carried, style), ...failureLines(failures, safe))
  if (conflicts.length > 0) lines.push('Resolve them with weft resolve. weft undo takes all of it back.')
  return `${lines.join('\n')}\n`
}

function carriedLines(carried: readonly string[], { safe }: Style): string[] {
  if (carried.length === 0) return []
  return [`Unsaved changes stayed as they were: ${carried.map(safe).join(', ')}.`]
}

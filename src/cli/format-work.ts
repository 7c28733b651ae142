/**
 * What commands did to the work tree, in words: a line or two, and what usually comes next.
 * @module
 */
import type { Failure } from '../worktree/apply.js'
import type { CommitReport } from '../worktree/commit.js'
import type { CommittedPath } from '../worktree/commit-changes.js'
import type { InitReport } from '../worktree/init.js'
import type { PatchReport } from '../worktree/patch-work.js'
import type { SwitchReport } from '../worktree/switch.js'
import type { OperationInfo, UndoReport } from '../worktree/undo.js'
import { count, dateTime, shortId } from './format.js'
import { PLAIN, type Style } from './style.js'

export function formatInit({ root, branch }: InitReport, { safe }: Style): string {
  return `Made a repository in ${safe(root)}, on the branch ${safe(branch)}. Next: weft status, weft commit.\n`
}

/** Paths listed one by one. */
const SHOWN = 10

export function formatCommit(report: CommitReport, { bold, safe }: Style): string {
  const { version, branch, subject, changes, otherHeads, warnings } = report
  const where = branch === undefined ? 'on no branch' : safe(branch)
  const lines = [`${bold(`${where} ${shortId(version)}`)} ${safe(subject)}`]
  lines.push(...changeLines(changes, safe))
  lines.push(...warnings.map((warning) => `Warning: ${safe(warning)}`))
  lines.push(...otherHeadLines(otherHeads))
  if (branch === undefined) lines.push('No branch names this version: weft switch -c <name> makes one.')
  return `${lines.join('\n')}\n`
}

function changeLines(changes: readonly CommittedPath[], safe: Style['safe'], most = SHOWN): string[] {
  const lines = changes
    .slice(0, most)
    .map(({ path, change, from }) => `  ${change} ${from === undefined ? '' : `${safe(from)} -> `}${safe(path)}`)
  return changes.length > most ? [...lines, `  and ${changes.length - most} more`] : lines
}

/** Paths listed in the editor. */
const NOTED = 200

/** What will be committed, for whoever writes the message. */
export function commitNotes(branch: string | undefined, changes: readonly CommittedPath[]): string {
  const where = branch === undefined ? 'On no branch' : `On the branch ${branch}`
  return `${where}. What will be committed:\n${changeLines(changes, PLAIN.safe, NOTED).join('\n')}`
}

export function formatSwitch(report: SwitchReport, { bold, safe }: Style): string {
  const { branch, version, created, files, carried, otherHeads, failures } = report
  const at = version === undefined ? 'which has no versions yet' : `at ${shortId(version)}`
  const lines = [
    branch === undefined
      ? `Now on the version ${shortId(version ?? '')}, on no branch; ${count(files, 'file')} changed.`
      : `Now on ${created ? 'the new branch ' : ''}${bold(safe(branch))}, ${at}; ${count(files, 'file')} changed.`,
  ]
  if (carried.length > 0) lines.push(`Unsaved changes were carried along: ${listed(carried, safe)}.`)
  if (branch === undefined) lines.push('weft switch -c <name> makes a branch here.')
  lines.push(...otherHeadLines(otherHeads))
  lines.push(...failureLines(failures, safe))
  return `${lines.join('\n')}\n`
}

export function formatPatched({ check, files, moved, failures }: PatchReport, { safe }: Style): string {
  const verb = check ? 'The patch fits' : 'Applied the patch'
  const lines = [files.length === 0 ? 'The patch changes nothing.' : `${verb}: ${count(files.length, 'file')}.`]
  for (const { path, change, from } of files.slice(0, SHOWN)) {
    lines.push(`  ${change} ${from === undefined ? '' : `${safe(from)} -> `}${safe(path)}`)
  }
  if (files.length > SHOWN) lines.push(`  and ${files.length - SHOWN} more`)
  for (const { path, hunk, line, offset, fuzz } of moved.slice(0, SHOWN)) {
    const lies = offset === 0 ? '' : `, ${count(Math.abs(offset), 'line')} ${offset < 0 ? 'up' : 'down'}`
    const less = fuzz === 0 ? '' : `, without ${count(fuzz, 'line')} of what is around it`
    lines.push(`Note: hunk ${hunk} of ${safe(path)} was put at line ${line}${lies}${less}.`)
  }
  if (moved.length > SHOWN) lines.push(`Note: and ${moved.length - SHOWN} more.`)
  lines.push(...failureLines(failures, safe))
  if (!check && files.length > 0) lines.push('weft diff shows what is changed; weft undo takes it back.')
  return `${lines.join('\n')}\n`
}

export function formatUndo(report: UndoReport, style: Style): string {
  return formatTurned(report, style, 'Undone', 'weft redo does it again.')
}

export function formatRedo(report: UndoReport, style: Style): string {
  return formatTurned(report, style, 'Done again', 'weft undo takes it back.')
}

function formatTurned({ operations, failures }: UndoReport, { safe }: Style, did: string, next: string): string {
  // What was done again is known by its own name: `Undone: merge topic`, not `Undone: redo merge topic`.
  const lines = operations.map(
    ({ command, summary }) => `${did}: ${command === 'redo' ? '' : `${command} `}${safe(summary)}`,
  )
  return `${[...lines, ...failureLines(failures, safe), next].join('\n')}\n`
}

export function formatOperation(
  { number, time, command, summary, undone }: OperationInfo,
  { dim, safe }: Style,
): string {
  const line = `${String(number).padStart(4)}  ${dateTime(time)}  ${command} ${safe(summary)}`
  return undone ? `${dim(`${line}  (undone)`)}\n` : `${line}\n`
}

function otherHeadLines(heads: readonly string[]): string[] {
  return heads.length === 0
    ? []
    : [`The branch has other heads: ${heads.map(shortId).join(', ')}. weft merge joins them.`]
}

/** Lines about files that are not as they should be. */
export function failureLines(failures: readonly Failure[], safe: Style['safe']): string[] {
  return failures.map(({ path, reason }) => `Warning: ${safe(path)} is not as it should be. ${safe(reason)}`)
}

function listed(paths: readonly string[], safe: Style['safe']): string {
  const more = paths.length > SHOWN ? ` and ${paths.length - SHOWN} more` : ''
  return `${paths.slice(0, SHOWN).map(safe).join(', ')}${more}`
}

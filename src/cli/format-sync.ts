/**
 * Syncs in words.
 * @module
 */
import type { SignerInfo } from '../repo/results.js'
import type { RefChanged, RefusedVersion, SyncReport } from '../sync/replicate.js'
import type { FollowReport } from '../worktree/follow.js'
import { columns, count, person, shortId, size } from './format.js'
import { failureLines } from './format-work.js'
import type { Style } from './style.js'

/** What pull, push and sync answer: the exchange, and where the files stand. */
export interface SyncAnswer extends SyncReport {
  readonly files: FollowReport
}

/** Refusals and names listed one by one. */
const SHOWN = 20

export function formatSync(report: SyncAnswer, style: Style): string {
  const lines = [headline(report, style), ...refLines(report.refs, style)]
  lines.push(...signerLines(report.newSigners, style))
  lines.push(...refusedLines('Not let in', report.refused, style))
  lines.push(...refusedLines(`Not let in by ${style.safe(report.remote)}`, report.refusedThere, style))
  if (report.waiting > 0) {
    lines.push(`${count(report.waiting, 'version')} kept aside: what they stand on has not come yet.`)
  }
  if (report.waitingThere > 0) {
    lines.push(
      `${style.safe(report.remote)} keeps ${count(report.waitingThere, 'version')} aside: it lacks what they stand on.`,
    )
  }
  lines.push(...fileLines(report, style))
  return `${lines.join('\n')}\n`
}

function headline(report: SyncAnswer, { safe, bold }: Style): string {
  const { direction, received, sent, remote, bytesReceived, bytesSent } = report
  const name = bold(safe(remote))
  const bytes = bytesSent === 0 ? `(${size(bytesReceived)})` : `(${size(bytesReceived)} in, ${size(bytesSent)} out)`
  if (received === 0 && sent === 0) {
    const nothing = {
      pull: `Nothing new from ${name}`,
      push: `${name} has it all`,
      sync: `Nothing new here or at ${name}`,
    }
    return `${nothing[direction]} ${bytes}.`
  }
  const came = direction === 'push' && received === 0 ? [] : [`${count(received, 'version')} from ${name}`]
  const went = direction === 'pull' ? [] : [`${count(sent, 'version')} to ${name}`]
  return `${[...came, ...went].join(', ')} ${bytes}.`
}

function refLines(refs: readonly RefChanged[], { safe, yellow, dim }: Style): string[] {
  const ids = (versions: readonly string[]): string => versions.map((id) => yellow(shortId(id))).join(' and ')
  const rows = refs.slice(0, SHOWN).map(({ kind, name, before, after }) => {
    const what = before.length === 0 ? 'new' : after.length === 0 ? 'deleted' : `from ${ids(before)}`
    return [dim(kind), safe(name), after.length === 0 ? '' : ids(after), what]
  })
  const lines = columns(rows)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => `  ${line}`)
  if (refs.length > SHOWN) lines.push(`  ... and ${refs.length - SHOWN} more`)
  return lines
}

/** Keys that were met for the first time: shown this once. */
export function signerLines(signers: readonly SignerInfo[], { bold, safe }: Style): string[] {
  if (signers.length === 0) return []
  const shown = signers.slice(0, SHOWN).map(({ fingerprint, author }) => {
    return `  ${bold(fingerprint)}${author === undefined ? '' : `  ${safe(person({ ...author, time: '' }))}`}`
  })
  if (signers.length > SHOWN) shown.push(`  ... and ${signers.length - SHOWN} more`)
  return [`Signed by ${signers.length === 1 ? 'a key' : 'keys'} not met before (weft key list):`, ...shown]
}

function refusedLines(title: string, refused: readonly RefusedVersion[], { red, safe }: Style): string[] {
  if (refused.length === 0) return []
  const lines = refused
    .slice(0, SHOWN)
    .map(({ version, code, reason }) => `  ${version}  ${safe(reason)} (${safe(code)})`)
  if (refused.length > SHOWN) lines.push(`  ... and ${refused.length - SHOWN} more`)
  return [red(`${title}:`), ...lines]
}

function fileLines({ files }: SyncAnswer, { safe, yellow, bold }: Style): string[] {
  const { branch, version, moved, carried, failures, otherHeads, held } = files
  const lines: string[] = []
  if (moved)
    lines.push(`${bold(`${safe(branch ?? '')} ${shortId(version ?? '')}`)}; ${count(files.files, 'file')} changed.`)
  if (carried.length > 0) lines.push(`Unsaved changes were carried along: ${carried.map(safe).join(', ')}.`)
  lines.push(...failureLines(failures, safe))
  if (held !== undefined) lines.push(`The files stay as they are: ${safe(held.message)} Then: weft merge.`)
  else if (otherHeads.length > 0) {
    const heads = otherHeads.map((id) => yellow(shortId(id))).join(', ')
    lines.push(`${safe(branch ?? 'The branch')} has another head, ${heads}: \`weft merge\` joins them.`)
  }
  return lines
}

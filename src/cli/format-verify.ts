/**
 * The outcome of a verification in words.
 * @module
 */
import { getOrMake } from '../base/map.js'
import type { Damage, VerifyReport } from '../repo/results.js'
import type { RepairReport } from '../sync/repair.js'
import { count, duration, grouped, shortId, size } from './format.js'
import type { Style } from './style.js'

/** Damages told one by one; what one lost page takes along may be thousands more. */
const SHOWN = 20

/** Versions of a revoked key named one by one. */
const SHOWN_REVOKED = 5

/** One line per damage, equivocation and doubt, then what was looked at and the verdict. */
export function formatVerify(report: VerifyReport, style: Style): string {
  const { versions, entries, files, bytes, signatures, seconds, damage, doubts, equivocations } = report
  const looked = [
    count(versions, 'version'),
    count(signatures, 'signature'),
    count(entries, 'entry', 'entries'),
    `${count(files, 'file version')} (${size(bytes)})`,
  ].join(', ')
  const verdict = report.ok
    ? style.green('Everything is as it was signed.')
    : style.red(`${count(damage.length, 'damage', 'damages')} found.`)
  const revoked = formatRevoked(report, style)
  const lines = damage.slice(0, SHOWN).map((d) => formatDamage(d, style))
  if (damage.length > SHOWN) {
    lines.push(`... and ${count(damage.length - SHOWN, 'more', 'more')}: weft verify --json names all.\n`)
  }
  // No damage, but news: somebody said two things, or something untrue.
  for (const { detail, refused } of equivocations) {
    lines.push(`${style.yellow('equivocation')}: ${detail} [refused ${shortId(refused)}]\n`)
  }
  for (const doubt of doubts) lines.push(formatDamage(doubt, style, style.yellow))
  return `${lines.join('')}Checked ${looked} in ${duration(seconds)}.\n${revoked}${verdict}\n`
}

/** What was damaged, what was done about it, and what verification says now. */
export function formatRepair(report: RepairReport, style: Style): string {
  const { damage, fetched, left, others, put, removed, kept, pulled, after } = report
  const { safe, yellow } = style
  if (damage.length === 0) return formatVerify(after, style)
  const lines = damage.slice(0, SHOWN).map((d) => formatDamage(d, style))
  if (damage.length > SHOWN) lines.push(`... and ${count(damage.length - SHOWN, 'more', 'more')}.\n`)
  const entries = `${count(put, 'entry', 'entries')} put, ${grouped(removed)} taken out`
  lines.push(`Fetched ${count(fetched.length, 'version')} from ${safe(report.url)}: ${entries}.\n`)
  if (pulled > 0) lines.push(`${count(pulled, 'version')} more came, of which nothing was left here.\n`)
  if (kept !== undefined) lines.push(`A new store was made; the damaged one is kept in ${safe(kept)}.\n`)
  if (others.length > 0) {
    const shown = others.slice(0, SHOWN_REVOKED).map(safe).join(', ')
    const more = others.length > SHOWN_REVOKED ? ', ...' : ''
    const what = count(others.length, 'version')
    lines.push(`${style.red('differs')}: ${what} there not those that were signed here: ${shown}${more}\n`)
  }
  if (left.length > 0) {
    const shown = left.slice(0, SHOWN_REVOKED).map(safe).join(', ')
    const more = left.length > SHOWN_REVOKED ? ', ...' : ''
    lines.push(`${yellow('left')}: ${count(left.length, 'version')} not to be had there: ${shown}${more}\n`)
  }
  return lines.join('') + formatVerify(after, style)
}

/** What revoked keys signed, a line for each key. */
function formatRevoked({ revoked }: VerifyReport, { yellow, safe }: Style): string {
  const byKey = new Map<string, string[]>()
  for (const { signer, name, version } of revoked) {
    getOrMake(byKey, name === undefined ? signer : `${signer} (${safe(name)})`, () => []).push(version)
  }
  return [...byKey]
    .map(([key, versions]) => {
      const more = versions.length > SHOWN_REVOKED ? ', ...' : ''
      const ids = versions.slice(0, SHOWN_REVOKED).map(shortId).join(', ')
      const what = count(versions.length, 'version')
      return `${yellow('revoked')}: ${what} signed by ${key} beyond where that key is valid: ${ids}${more}\n`
    })
    .join('')
}

/** `kind: detail [version ..., path ..., key ...]`. */
function formatDamage(
  { kind, version, path, key, detail }: Damage,
  { red, safe }: Style,
  paint: Style['red'] = red,
): string {
  const where = [
    version === undefined ? '' : `version ${shortId(version)}`,
    path === undefined ? '' : `path ${safe(path)}`,
    key === undefined ? '' : `key ${safe(key)}`,
  ].filter((part) => part !== '')
  return `${paint(kind)}: ${safe(detail)}${where.length > 0 ? ` [${where.join(', ')}]` : ''}\n`
}

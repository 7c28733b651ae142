/**
 * How often somebody may come: a bucket of tries for each name, which fills up again as time goes by.
 *
 * Names come from outside, so only so many are remembered: those that came last. Who is forgotten begins anew with a full
 * bucket, which is why there is room for more names than anybody has addresses at hand.
 * @module
 */

/** Names that are remembered. */
const NAMES = 20_000

interface Bucket {
  left: number
  /** Milliseconds, when `left` was true. */
  at: number
}

export class RateLimit {
  readonly #burst: number
  readonly #perMillisecond: number
  /** By name; who came last is last. */
  readonly #buckets = new Map<string, Bucket>()

  /**
   * @param perMinute - Tries that come back in a minute.
   * @param burst - Tries at once, after a while of none.
   */
  constructor(perMinute: number, burst: number = perMinute) {
    this.#burst = burst
    this.#perMillisecond = perMinute / 60_000
  }

  /**
   * One more try.
   *
   * @param now - Milliseconds of a clock that only goes on.
   * @returns 0 where it may go on, else the milliseconds after which it is worth another try.
   */
  take(name: string, now: number): number {
    const bucket = this.#buckets.get(name) ?? { left: this.#burst, at: now }
    this.#buckets.delete(name)
    this.#buckets.set(name, bucket)
    bucket.left = Math.min(this.#burst, bucket.left + (now - bucket.at) * this.#perMillisecond)
    bucket.at = now
    if (this.#buckets.size > NAMES) this.#buckets.delete(this.#buckets.keys().next().value ?? '')
    if (bucket.left < 1) return Math.ceil((1 - bucket.left) / this.#perMillisecond)
    bucket.left--
    return 0
  }

  /** How many names are remembered. */
  get size(): number {
    return this.#buckets.size
  }
}

/**
 * What stands for an address: itself, or of IPv6 the first 64 bits, since whoever has one has all of them. An IPv4 address in
 * the clothes of IPv6 is itself.
 */
export function addressName(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '')
  if (!plain.includes(':')) return plain
  const [left = '', right] = plain.replace(/%.*$/, '').split('::')
  const groups = left === '' ? [] : left.split(':')
  const missing = right === undefined ? 0 : 8 - groups.length - (right === '' ? 0 : right.split(':').length)
  const all = [...groups, ...Array.from({ length: missing }, () => '0'), ...(right ? right.split(':') : [])]
  return `${all.slice(0, 4).join(':')}::`
}

/** Whether an address is this machine's own. */
export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(::ffff:)?127\.\d+\.\d+\.\d+$|^::1$/i.test(address)
}

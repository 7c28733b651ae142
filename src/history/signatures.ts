/**
 * Signatures waiting to be verified, packed side by side so that a million of them are one array.
 *
 *     public key (32) | version id (32) | signature (64)     by the number of the version
 *
 * @module
 */
import { defaultCrypto as crypto } from '../crypto/default.js'

const KEY_END = 32
const ID_END = 64
const JOB_BYTES = 128

/** Signatures in a batch: 80 µs each, so a batch is 5 ms of work. */
const BATCH_JOBS = 64

/** Some signatures. */
export interface SignatureBatch {
  /** Numbers of the versions. */
  readonly numbers: readonly number[]
  /** 128 bytes per version. */
  readonly jobs: Uint8Array
}

/** A queue of signatures: filled once, then emptied by whoever has time. */
export class SignatureQueue {
  #jobs = new Uint8Array(64 * JOB_BYTES)
  readonly #numbers: number[] = []
  #taken = 0

  /** Signatures put so far. */
  get size(): number {
    return this.#numbers.length
  }

  put(number: number, publicKey: Uint8Array, id: Uint8Array, signature: Uint8Array): void {
    const at = this.#numbers.push(number) * JOB_BYTES - JOB_BYTES
    if (at + JOB_BYTES > this.#jobs.length) {
      const grown = new Uint8Array(2 * this.#jobs.length)
      grown.set(this.#jobs)
      this.#jobs = grown
    }
    this.#jobs.set(publicKey, at)
    this.#jobs.set(id, at + KEY_END)
    this.#jobs.set(signature, at + ID_END)
  }

  /** The next batch; undefined when none is left. */
  take(): SignatureBatch | undefined {
    const numbers = this.#numbers.slice(this.#taken, this.#taken + BATCH_JOBS)
    if (numbers.length === 0) return undefined
    const from = this.#taken * JOB_BYTES
    this.#taken += numbers.length
    return { numbers, jobs: Uint8Array.from(this.#jobs.subarray(from, this.#taken * JOB_BYTES)) }
  }
}

/** Numbers of the versions whose signature does not hold. */
export function wrongSignatures({ numbers, jobs }: SignatureBatch): number[] {
  return numbers.filter((_, i) => {
    const job = jobs.subarray(i * JOB_BYTES, (i + 1) * JOB_BYTES)
    return !crypto.ed25519.verify(job.subarray(0, KEY_END), job.subarray(KEY_END, ID_END), job.subarray(ID_END))
  })
}

/**
 * What is here though its key was revoked: it came in before that was known, or it is one's own doing.
 *
 * That is no damage. The store is as it was signed, and other versions may stand on these; what they are worth, people must
 * decide.
 * @module
 */
import { fromHex, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { decodeGenesis } from '../history/genesis.js'
import { decodeVersion } from '../history/header.js'
import { type Kind, kindRange } from '../history/keys.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatStream, type Lseq, lseqOfKey } from '../lseq/lseq.js'
import type { SignedBeyond } from './results.js'
import { signerPolicy } from './signer-policy.js'
import { readSigners } from './signers.js'

/**
 * Versions that a key signed beyond the vector at which it was revoked, in lseq order. Damage is passed over: verification
 * tells of it.
 *
 * @throws {CodedError} `SIGNERS_DAMAGED`.
 */
export async function signedBeyond(entries: EntryStore, root: string): Promise<SignedBeyond[]> {
  const signers = new Map(readSigners(root).map((signer) => [signer.publicKey, signer]))
  const policy = signerPolicy({ signers: [...signers.values()], rule: 'any', own: undefined })
  if (![...signers.values()].some(({ revoked }) => revoked !== undefined)) return []
  const owners = new Map<number, string>()
  for await (const { stream, value } of valuesOf(entries, 'K')) {
    const genesis = stream === 0 ? undefined : readable(() => decodeGenesis(value()))
    if (genesis !== undefined) owners.set(stream, toHex(genesis.publicKey))
  }
  const beyond: SignedBeyond[] = []
  for await (const { seq, stream, value } of valuesOf(entries, 'V')) {
    const owner = owners.get(stream)
    const signer = owner === undefined ? undefined : signers.get(owner)
    if (signer === undefined || policy(fromHex(signer.publicKey) as Uint8Array, { seq, stream }) === undefined) continue
    const version = readable(() => decodeVersion(value()))
    if (version === undefined) continue
    const { fingerprint, name } = signer
    beyond.push({
      version: toHex(version.id),
      stream: formatStream(stream),
      seq,
      signer: fingerprint,
      ...(name === undefined ? {} : { name }),
    })
  }
  return beyond
}

async function* valuesOf(entries: EntryStore, kind: Kind): AsyncGenerator<Lseq & { value: () => Uint8Array }> {
  for await (const batch of entries.scan({ ...kindRange(kind), onDamage: () => undefined })) {
    for (let i = 0; i < batch.count; i++) yield { ...lseqOfKey(batch.key(i)), value: () => batch.value(i) }
  }
}

/** What a record says; undefined where it is damaged. */
function readable<T>(decode: () => T): T | undefined {
  try {
    return decode()
  } catch (error) {
    if (error instanceof CodedError) return undefined
    throw error
  }
}

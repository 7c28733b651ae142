/**
 * What is known of every version's groups while the entries are read: what its list says, what has been met.
 *
 * A version's groups come in name order. Each is added to the Merkle tree that has to give the changes root, and compared
 * with the next name on the list, so that what is missing, changed or too much is named and not just noticed. Where a
 * list is lost, the root alone decides.
 * @module
 */
import { fromLatin1, toLatin1 } from '../base/bytes.js'
import type { DigestString } from '../crypto/crypto.js'
import { leafDigest, MerkleBuilder } from '../crypto/merkle.js'
import type { Findings } from './findings.js'
import type { ListedGroup } from './groups.js'
import { groupsKey } from './keys.js'
import type { CheckedVersion } from './verify-versions.js'

/** One version's groups. */
interface Account {
  readonly root: MerkleBuilder
  /** Undefined where there is no list, or one that cannot be read. */
  readonly list: readonly ListedGroup[] | undefined
  /** Groups of the list that have been met or missed. */
  next: number
  /** Whether something has been said of this version: its root will not fit, and need not be told on top. */
  told: boolean
}

/** The groups of all versions. */
export class GroupAccounts {
  readonly #versions: readonly CheckedVersion[]
  readonly #findings: Findings
  readonly #accounts: (Account | undefined)[]

  constructor(versions: readonly CheckedVersion[], findings: Findings) {
    this.#versions = versions
    this.#findings = findings
    this.#accounts = new Array(versions.length)
  }

  /** Takes a version's list; undefined for one that is damaged, which has been told. */
  list(number: number, list: readonly ListedGroup[] | undefined): void {
    this.#accounts[number - 1] = { root: new MerkleBuilder(), list, next: 0, told: list === undefined }
  }

  /** Takes a group of a version; those of one version come in name order. */
  met(number: number, name: string, digest: DigestString): void {
    const account = this.#account(number)
    account.root.push(leafDigest(name, digest))
    const { list } = account
    if (list === undefined) return
    while (account.next < list.length && (list[account.next] as ListedGroup).name < name)
      this.#miss(number, account, list)
    const listed = list[account.next]
    if (listed?.name !== name) {
      this.#tell(number, account, 'Entries claim to be of a version that does not list them.', name)
      return
    }
    account.next++
    if (digest.startsWith(listed.prefix)) return
    this.#tell(number, account, 'Entries are not those that the version added: changed, missing or too many.', name)
  }

  /** Says what was not met, and whose groups do not give the root that was signed. */
  close(): void {
    for (let number = 1; number <= this.#versions.length; number++) {
      const { id, last, stream, changes } = this.#versions[number - 1] as CheckedVersion
      const account = this.#account(number)
      const { list } = account
      while (list !== undefined && account.next < list.length) this.#miss(number, account, list)
      if (account.told) continue
      if (account.root.root() !== toLatin1(changes)) {
        this.#findings.add('changes', 'What the version added does not give the root that it signed.', { version: id })
      } else if (account.list === undefined && account.root.size > 0) {
        const key = groupsKey(last, stream)
        if (!this.#findings.isLost(key)) {
          this.#findings.add('group', 'The list of its groups is missing.', { version: id, key })
        }
      }
    }
  }

  #account(number: number): Account {
    const found = this.#accounts[number - 1]
    if (found !== undefined) return found
    const made = { root: new MerkleBuilder(), list: undefined, next: 0, told: false }
    this.#accounts[number - 1] = made
    return made
  }

  #miss(number: number, account: Account, list: readonly ListedGroup[]): void {
    const { name } = list[account.next++] as ListedGroup
    this.#tell(number, account, 'Entries that the version added are missing.', name)
  }

  #tell(number: number, account: Account, detail: string, name: string): void {
    account.told = true
    this.#findings.add('group', detail, { version: this.#versions[number - 1]?.id, ...placeOf(name) })
  }
}

/** Path and key of a group, as far as its name tells. */
export function placeOf(name: string): { path?: string; key: Uint8Array } {
  const key = fromLatin1(name)
  return name.startsWith('P') ? { path: name.slice(1), key } : { key }
}

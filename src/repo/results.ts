/**
 * The shapes in which a repository answers: plain, readonly, JSON-ready values.
 *
 * These are the `--json` outputs of the commands too, so a change here is a change of the public interface.
 * Ids are lower-case hex. Paths are UTF-8 text; a path that is not valid UTF-8 is written the way git quotes it
 * (`"caf\351"`), and the same form is accepted wherever a path is given.
 * @module
 */

import type { Code } from '../base/error.js'
import type { Verified } from '../history/verify.js'
import type { SignerState } from './signers.js'

/** Who, and when by their own clock: `time` is ISO 8601 with the original offset, `2024-03-01T12:00:00+01:00`. */
export interface Person {
  readonly name: string
  readonly email: string
  readonly time: string
}

/** One version, as `log` lists it. */
export interface VersionInfo {
  /** SHA-256 of the header, 64 hex digits. */
  readonly id: string
  readonly parents: readonly string[]
  readonly author: Person
  readonly committer: Person
  readonly message: string
  /** The id of the git commit it was imported from. */
  readonly git?: string
  /** Stream that holds the version, 6 hex digits. */
  readonly stream: string
  /** Greatest seq of the version: with `stream` it is the version's lseq. */
  readonly seq: number
  /** Fingerprint of the key that signed it: the first 16 hex digits of SHA-256(public key). */
  readonly signer: string
}

/** What a version did to one path. */
export interface PathChange {
  readonly path: string
  readonly change: 'added' | 'deleted' | 'modified' | 'renamed' | 'mode'
  /** Where the file was before, for `renamed`. */
  readonly from?: string
  readonly mode?: string
  readonly oldMode?: string
  readonly binary: boolean
}

/** One version in full, as `show` prints it. */
export interface VersionDetail extends VersionInfo {
  /** Branches, tags and snapshots that name this very version. */
  readonly names: readonly string[]
  readonly changes: readonly PathChange[]
  /** Unified diff against the first parent, for people and for `patch -p1`. */
  readonly patch: string
}

/** What differs at one path, as `diff` lists it. */
export interface FileDiff extends PathChange {
  /** Lines put and taken away; none of a file that is only said to differ (`binary`). */
  readonly added: number
  readonly deleted: number
  /** Bytes of the content after and before; absent where there was none. */
  readonly size?: number
  readonly oldSize?: number
  /** The change as a patch, unless only its size was asked for; as text where it is UTF-8 ... */
  readonly patch?: string
  /** ... and else in base64. */
  readonly patchBase64?: string
  /** The change word by word, where that was asked for and the file is text. */
  readonly words?: readonly WordHunk[]
}

/** A part of a file that changed, and the lines around it, word by word. Line numbers count from 1. */
export interface WordHunk {
  readonly oldStart: number
  readonly oldLines: number
  readonly newStart: number
  readonly newLines: number
  /** Lines without their newlines, in pieces: joined, all but the `added` ones are the old line. */
  readonly lines: readonly (readonly { readonly kind: 'same' | 'deleted' | 'added'; readonly text: string }[])[]
}

/** What kind of thing a path is. */
export type FileKind = 'file' | 'executable' | 'symlink' | 'submodule'

/** One path of a tree, as `ls` lists it. `mode` is octal text as git writes it, `100644`. */
export interface TreeEntry {
  readonly path: string
  readonly mode: string
  readonly kind: FileKind
  /** Size of the content in bytes. */
  readonly size: number
  /** Plain SHA-256 of the content, as `sha256sum` prints it. */
  readonly sha256: string
  /** File id: the lseq at which the file was born, `stream-seq`. It survives renames. */
  readonly file: string
}

/** One line and who put it there. */
export interface BlameLine {
  /** Line number, from 1. */
  readonly n: number
  /** The line without its newline. */
  readonly text: string
  readonly version: string
  readonly git?: string
  readonly author: Person
  /** The line's own id, `stream-seq`. */
  readonly lseq: string
}

export interface Blame {
  readonly path: string
  /** Id of the version looked at, or the vector as text when no single version matches. */
  readonly at: string
  readonly lines: readonly BlameLine[]
}

/** A line that matched. `removed` is set by a history search when a version took the line out. */
export interface GrepMatch {
  readonly path: string
  /** Line number, from 1; absent in a history search. */
  readonly n?: number
  readonly text: string
  readonly lseq: string
  readonly put: { readonly version: string; readonly git?: string }
  readonly removed?: readonly { readonly version: string; readonly git?: string }[]
}

export interface Snapshot {
  readonly name: string
  /** Version vector as text, `stream:seq,stream:seq`. */
  readonly vector: string
  /** The versions at the vector's tips. */
  readonly versions: readonly string[]
  readonly time: string
  readonly signer: string
}

/** A branch. */
export interface BranchInfo {
  readonly name: string
  /** Whether the work tree stands on it. */
  readonly current: boolean
  /** Hex ids of the versions that it stands at: more than one after concurrent moves. */
  readonly heads: readonly string[]
  /** Of the first head: first line of the message, and the committer's time. */
  readonly subject: string
  readonly time: string
  /** Versions that only this branch has, and that only the one compared with has; 0 where it is that one. */
  readonly ahead: number
  readonly behind: number
}

/** A tag. */
export interface TagInfo {
  readonly name: string
  /** Hex ids of the versions that it names; several where replicas gave one name to different ones. None for a git object. */
  readonly versions: readonly string[]
  /** What the tag says, where it says something. */
  readonly message?: string
}

export type { Damage } from '../history/findings.js'

export interface VerifyReport extends Verified {
  /** Versions that a key signed which was revoked before: they came in earlier than that was known. No damage. */
  readonly revoked: readonly SignedBeyond[]
}

/** A version that a revoked key signed, beyond the vector up to which it counts. */
export interface SignedBeyond {
  readonly version: string
  readonly stream: string
  readonly seq: number
  /** Fingerprint. */
  readonly signer: string
  /** What the key is called here. */
  readonly name?: string
}

/** What was renumbered. */
export interface RenumberReport {
  /** Six hex digits each. */
  readonly streams: readonly { readonly from: string; readonly to: string }[]
  /** Versions that were made anew: their ids are other ones now. */
  readonly versions: number
}

/** A key that wrote here, or that is known. */
export interface SignerInfo {
  /** 16 hex digits. */
  readonly fingerprint: string
  /** 64 hex digits. */
  readonly publicKey: string
  /** What it is called here. */
  readonly name?: string
  /** Of the last version that it signed: who that says wrote it, which anybody can say. */
  readonly author?: { readonly name: string; readonly email: string }
  readonly state: SignerState
  readonly own: boolean
  /** When it was first met, ISO 8601; absent for one that nobody has looked at. */
  readonly seen?: string
  readonly revoked?: {
    /** ISO 8601. */
    readonly time: string
    /** Up to where what it signed is valid: version vector, as text. */
    readonly until: string
  }
  readonly streams: number
  readonly versions: number
}

/** What was done to a key. */
export interface SignerChange {
  readonly change: 'trusted' | 'renamed' | 'revoked'
  readonly fingerprint: string
  readonly publicKey: string
  readonly name?: string
  readonly state: SignerState
  readonly before: SignerState
  /** Of a key that is revoked: up to where what it signed is valid. */
  readonly until?: string
}

export interface RestoreReport {
  readonly at: string
  readonly to: string
  readonly files: number
  readonly bytes: number
  readonly seconds: number
}

export interface StoreStat {
  readonly format: number
  readonly bytes: number
  readonly entries: number
  readonly loose: number
  readonly pages: number
  /** Entries and bytes (keys and values, before compression) per kind of entry. */
  readonly kinds: readonly {
    readonly kind: string
    readonly meaning: string
    readonly entries: number
    readonly bytes: number
  }[]
}

/** One entry of the store, made readable. */
export interface StoreEntry {
  /** Key as text that `store get` takes back. */
  readonly key: string
  readonly lseq: string
  readonly kind: string
  /** The value in words: the lines of a run, the ranges of a tombstone, the fields of a header. */
  readonly value: string
  readonly bytes: number
}

/** What `archive` wrote. */
export interface ArchiveReport {
  /** Id of the version, or the vector as text. */
  readonly at: string
  /** The file. */
  readonly to: string
  readonly format: 'tar' | 'tar.gz' | 'zip'
  /** Files and links in it. */
  readonly files: number
  /** Size of the archive. */
  readonly bytes: number
  readonly seconds: number
}

/** One setting, as `config` lists it. */
export interface ConfigEntry {
  readonly key: string
  /** As written; absent where nobody set it and there is no standard. */
  readonly value?: string
  /** Where the value is from. */
  readonly origin: 'repository' | 'user' | 'standard' | 'none'
  /** The file it stands in. */
  readonly file?: string
  /** A key that weft does not know, or a value that makes no sense. */
  readonly problem?: 'unknown' | 'bad'
}

/** What `config` did to a settings file. */
export interface ConfigChange {
  readonly key: string
  /** The new value; absent where the setting was taken out. */
  readonly value?: string
  readonly file: string
  /** False where the file said so already. */
  readonly changed: boolean
}

export interface ImportReport {
  /** New versions, this run. */
  readonly versions: number
  /** New file versions. */
  readonly files: number
  readonly entries: number
  readonly lines: number
  /** Bytes of content read from git. */
  readonly bytes: number
  readonly seconds: number
  readonly refs: number
  /** Branches that went on here and there: they stand at several versions until `weft merge`. */
  readonly diverged: readonly string[]
  /** The current branch, where it has moved on from the version that the work tree stands on. */
  readonly behind?: string
  /** The current branch, where the source names one. */
  readonly head?: string
  readonly streams: number
  /** Trees whose git id was recomputed from what is stored (`--check`). */
  readonly checked?: number
  readonly warnings: readonly string[]
}

/** What was not done, and why: an error that did not keep the rest from being done. */
export interface Refusal {
  /** Full name of the branch or tag in git. */
  readonly ref: string
  readonly code: Code
  readonly message: string
  readonly hint: string
}

export interface ExportReport {
  /** Versions that the branches and tags reach. */
  readonly versions: number
  /** New commits in git, this run. */
  readonly commits: number
  /** New objects in git: commits, trees, contents, tags. */
  readonly objects: number
  /** Branches and tags that were set. */
  readonly refs: number
  /** Bytes of what was handed over to git. */
  readonly bytes: number
  readonly seconds: number
  /** Branches and tags that were not set. */
  readonly refused: readonly Refusal[]
}

/** How far a long operation is; `total` is 0 while unknown. */
export type Progress = (phase: string, done: number, total: number) => void

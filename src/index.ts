/**
 * The library: all that the commands do, for programs. `import { Repository } from 'weft-vcs'`.
 *
 * It never touches arguments, environment, standard streams or the exit status, and takes the directory of the user's
 * settings as a value.
 * @module
 */
export { type Blame as ErrorBlame, CODES, type Code, CodedError } from './base/error.js'
export { importGit } from './git/import.js'
export { type Identity, openIdentity } from './repo/identity.js'
export { Repository } from './repo/repository.js'
export type * from './repo/results.js'

import * as Flags from '@oclif/core/flags'
import { CodedError } from '../base/error.js'
import { at, required, VERSION_HELP } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { write } from '../cli/output.js'

/** What an address of content looks like: `sha256:` and 64 hex digits. */
const ADDRESS = /^sha256:([0-9a-f]{64})$/i

function noAddress(text: string): CodedError {
  return new CodedError('USAGE', `${text} is no address of a content: behind sha256: stand 64 hex digits.`, {
    hint: `\`weft ls --json\` shows them. A file of this name is ./${text}.`,
  })
}

/** `weft cat`: the bytes of a file. */
export default class Cat extends BaseCommand {
  static override summary = 'Write the exact bytes of a file to standard output'
  static override description =
    `Instead of a path, sha256:<64 hex digits> names any content that any version of any file ever had.\n\n${VERSION_HELP}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> README.md',
    '<%= config.bin %> <%= command.id %> src/server.c --at v1.2 > server.c',
    '<%= config.bin %> <%= command.id %> sha256:<64 hex digits> > content',
  ]
  static override args = { path: required('File, or sha256: and the address of its content') }
  static override flags = {
    at,
    json: Flags.boolean({ helpGroup: 'GLOBAL', summary: 'Print an error as JSON; the bytes stay as they are' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Cat)
    await using repo = await this.openRepository()
    const sha256 = ADDRESS.exec(args.path)?.[1]?.toLowerCase()
    if (sha256 === undefined && args.path.startsWith('sha256:')) throw noAddress(args.path)
    const options = flags.at === undefined ? {} : { at: flags.at }
    await write(
      sha256 === undefined ? await repo.read(this.pathIn(repo, args.path), options) : await repo.content(sha256),
    )
  }
}

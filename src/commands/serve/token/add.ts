import * as Flags from '@oclif/core/flags'
import { CodedError } from '../../../base/error.js'
import { optional } from '../../../cli/arguments.js'
import { BaseCommand } from '../../../cli/command.js'
import { formatNewToken } from '../../../cli/format-serve.js'

/** `weft serve token add`: lets somebody in. */
export default class ServeTokenAdd extends BaseCommand {
  static override summary = 'Make a token with which a server lets somebody in'
  static override description =
    'A token is for the repository here, or, where the working directory is a folder of repositories, for all of them. It is shown this once: only its hash is kept. A server that runs knows it at once.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --read build-machine',
    '<%= config.bin %> <%= command.id %> --write ana',
  ]
  static override args = { name: optional('What to call it, to know it by when it is to be removed') }
  static override flags = {
    read: Flags.boolean({ summary: 'Who has it may read' }),
    write: Flags.boolean({ summary: 'Who has it may write, and read' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ServeTokenAdd)
    if (!flags.read && !flags.write) {
      throw new CodedError('USAGE', 'Nobody said what the token is for.', { hint: 'Add --read or --write.' })
    }
    const [{ addToken }, { servedRoot }] = await Promise.all([
      import('../../../server/tokens.js'),
      import('../../../server/served-root.js'),
    ])
    const { path } = await servedRoot(undefined, process.cwd())
    const token = await addToken(path, flags.write ? 'write' : 'read', args.name, new Date())
    await this.answer(token, formatNewToken)
  }
}

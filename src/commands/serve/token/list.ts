import { BaseCommand } from '../../../cli/command.js'
import { formatTokens } from '../../../cli/format-serve.js'

/** `weft serve token list`: who is let in. */
export default class ServeTokenList extends BaseCommand {
  static override summary = 'List the tokens with which a server lets people in'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async run(): Promise<void> {
    await this.parse(ServeTokenList)
    const [{ listTokens }, { servedRoot }] = await Promise.all([
      import('../../../server/tokens.js'),
      import('../../../server/served-root.js'),
    ])
    const { path } = await servedRoot(undefined, process.cwd())
    await this.answer(await listTokens(path), formatTokens)
  }
}

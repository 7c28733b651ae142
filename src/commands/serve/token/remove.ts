import { required } from '../../../cli/arguments.js'
import { BaseCommand } from '../../../cli/command.js'
import { formatRemovedToken } from '../../../cli/format-serve.js'

/** `weft serve token remove`: lets somebody in no more. */
export default class ServeTokenRemove extends BaseCommand {
  static override summary = 'Remove a token: from then on nobody gets in with it'
  static override examples = ['<%= config.bin %> <%= command.id %> ana']
  static override args = { name: required('Name of the token') }

  async run(): Promise<void> {
    const { args } = await this.parse(ServeTokenRemove)
    const [{ removeToken }, { servedRoot }] = await Promise.all([
      import('../../../server/tokens.js'),
      import('../../../server/served-root.js'),
    ])
    const { path } = await servedRoot(undefined, process.cwd())
    await this.answer(await removeToken(path, args.name), formatRemovedToken)
  }
}

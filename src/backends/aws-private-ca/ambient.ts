import { readFile } from 'node:fs/promises';
import type { Clock } from '../../clock.ts';
import { AuthorityError } from '../../errors.ts';
import { withoutSecrets } from '../../foreign-text.ts';
import { messageOf } from '../../thrown.ts';
import type { Login } from './sessions.ts';
import type { Sts } from './sts.ts';

/** The variables of the controller's process. */
export type Environment = Readonly<Record<string, string | undefined>>;

const AGENT_MS = 2_000;

/**
 * The credentials of the controller's own pod, in the order of AWS's SDKs: IRSA, then EKS Pod Identity. IRSA goes to STS by
 * our own client, since the SDK's would go out around the address rules and try again by itself. Pod Identity is the SDK's:
 * its agent has a plain HTTP address, which the SDK restricts to those of agents. The node's role (IMDS) isn't used: it is
 * that of every pod.
 */
export function ambientLogin(sts: Sts, environment: Environment, clock: Clock): Login {
  const { AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile, AWS_ROLE_ARN: roleArn } = environment;
  if (tokenFile !== undefined && roleArn !== undefined) return byPodToken(tokenFile, roleArn, sts);
  const { AWS_CONTAINER_CREDENTIALS_FULL_URI: agent, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: agentToken } = environment;
  if (agent !== undefined && agentToken !== undefined) return byAgent(agent, agentToken, clock);
  const fail = () =>
    Promise.reject(
      new AuthorityError(
        'CredentialsNotFound',
        "the controller's pod has no credentials of AWS: annotate its ServiceAccount with eks.amazonaws.com/role-arn, or associate it with a role: aws eks create-pod-identity-association; then restart the controller",
      ),
    );
  return { description: "the credentials of the controller's pod", credential: fail, login: fail };
}

function byPodToken(tokenFile: string, roleArn: string, sts: Sts): Login {
  return {
    description: `the credentials of the role ${roleArn}`,
    credential: async () => '',
    login: async (signal) => {
      // The kubelet replaces it before it expires.
      const token = await readFile(tokenFile, 'utf8').catch((error: unknown) => {
        throw new AuthorityError(
          'CredentialsNotFound',
          `the token of the controller's pod can't be read: ${messageOf(error)}`,
        );
      });
      return sts.byToken(roleArn, token.trim(), "the controller's ServiceAccount", signal);
    },
  };
}

function byAgent(agent: string, tokenFile: string, clock: Clock): Login {
  return {
    description: "the credentials of the controller's pod (EKS Pod Identity)",
    credential: async () => '',
    login: async (signal) => {
      const { fromHttp } = await import('@aws-sdk/credential-providers');
      const provide = fromHttp({
        awsContainerCredentialsFullUri: agent,
        awsContainerAuthorizationTokenFile: tokenFile,
        maxRetries: 0,
        timeout: AGENT_MS,
      });
      signal.throwIfAborted();
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = await provide().catch((error: unknown) => {
        throw new AuthorityError(
          'CredentialsRefused',
          `the agent of EKS Pod Identity gave no credentials; does it run on this node, and is the controller's ServiceAccount associated with a role? ${withoutSecrets(messageOf(error))}`,
        );
      });
      return {
        keys: { accessKeyId, secretAccessKey, sessionToken },
        lifeMs: expiration === undefined ? undefined : expiration.getTime() - clock.now().getTime(),
      };
    },
  };
}

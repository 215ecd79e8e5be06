declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  /** What stands on the page, as React has it. */
  export type Element = { readonly type: unknown };
  export type Component<P> = (props: P) => Element;

  /** What Swagger UI hands to its plugins: https://swagger.io/docs/open-source-tools/swagger-ui/customization/plugin-api/ */
  export interface System {
    readonly React: {
      readonly Fragment: unknown;
      createElement(type: unknown, props: object | null, ...children: unknown[]): Element;
      useState<T>(initial: T): [T, (next: T) => void];
    };
  }

  /** One row of the answers of an operation. */
  export interface ResponseProps {
    readonly code: string;
    readonly response: { get(member: "description"): string | undefined };
  }

  export interface Plugin {
    readonly wrapComponents: {
      response(original: Component<ResponseProps>, system: System): Component<ResponseProps>;
    };
  }

  /** https://swagger.io/docs/open-source-tools/swagger-ui/usage/configuration/ */
  export interface Options {
    readonly url: string;
    readonly dom_id: string;
    readonly deepLinking: boolean;
    readonly validatorUrl: string | null;
    readonly plugins: readonly Plugin[];
  }

  export default function SwaggerUIBundle(options: Options): unknown;
}

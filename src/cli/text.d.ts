/** Files that are part of the program as texts: `import text from "….csv" with { type: "text" }`. */
declare module "*.csv" {
  const text: string;
  export default text;
}

declare module "*.yaml" {
  const text: string;
  export default text;
}

// Presses every visible summary and button; returns how many.
const press = (selector) => {
  const shown = [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility());
  for (const one of shown) one.click();
  return shown.length;
};
return press('summary') + press('button');

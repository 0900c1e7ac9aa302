"use strict";
// Reading needs none of this: it only keeps films, cursors and links in step.
(() => {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const share = (video) => {
    const length = video.duration || Number(video.dataset.length) || 1;
    return Math.min(1, video.currentTime / length);
  };

  for (const link of document.querySelectorAll("[data-seek]")) {
    link.addEventListener("click", (event) => {
      const video = document.getElementById(link.getAttribute("href").slice(1));
      if (!video) return;
      event.preventDefault();
      video.dataset.held = "yes";
      video.pause();
      video.currentTime = Math.max(0, Number(link.dataset.seek) - Number(video.dataset.start));
      video.scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
    });
  }

  const cursors = [...document.querySelectorAll(".cursor[data-film]")].map((cursor) => ({
    cursor,
    video: document.getElementById(cursor.dataset.film),
  }));

  const groups = [...document.querySelectorAll("[data-group]")].map((group) => {
    const videos = [...group.querySelectorAll("video")];
    for (const video of videos) video.controls = false;
    const button = document.createElement("button");
    button.type = "button";
    const slider = document.createElement("input");
    Object.assign(slider, { type: "range", min: 0, max: 1, step: 0.001, value: 0 });
    slider.setAttribute("aria-label", "Moment shown in all films of this group");
    const bar = document.createElement("div");
    bar.className = "transport";
    bar.append(button, slider);
    group.prepend(bar);
    const state = { group, videos, slider, playing: false };
    state.play = (on) => {
      state.playing = on;
      button.textContent = on ? "Pause all" : "Play all";
      for (const video of videos) {
        if (on) video.play().catch(() => {});
        else video.pause();
      }
    };
    state.seek = (where) => {
      for (const video of videos) {
        video.currentTime = where * (video.duration || Number(video.dataset.length));
      }
    };
    button.addEventListener("click", () => state.play(!state.playing));
    slider.addEventListener("input", () => {
      state.play(false);
      state.seek(Number(slider.value));
    });
    state.play(false);
    return state;
  });

  const watched = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const state = groups.find((item) => item.group === target);
      if (state) {
        if (!isIntersecting) state.play(false);
        else if (!calm) state.play(true);
      } else if (!isIntersecting) target.pause();
      else if (!calm && !target.dataset.held) target.play().catch(() => {});
    }
  }, { threshold: 0.2 });
  for (const { group } of groups) watched.observe(group);
  for (const video of document.querySelectorAll(".large video, .hit video")) watched.observe(video);

  const frame = () => {
    for (const { cursor, video } of cursors) {
      if (video) cursor.style.setProperty("--at", share(video));
    }
    for (const { group, videos, slider, playing } of groups) {
      const lead = videos[0];
      if (!lead) continue;
      for (const video of videos.slice(1)) {
        if (playing && Math.abs(video.currentTime - lead.currentTime) > 0.12) {
          video.currentTime = lead.currentTime;
        }
      }
      if (playing) slider.value = share(lead);
      group.style.setProperty("--at", share(lead));
    }
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})();
